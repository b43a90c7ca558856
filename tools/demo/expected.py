"""What the calls of the example must cost, worked out by hand from the providers' list prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens. Decimals, so that the sum here has no rounding of its own."""

    input: Decimal
    cache_read: Decimal
    cache_write: Decimal
    output: Decimal


PRICES: Mapping[str, Price] = {
    "gpt-4o": Price(Decimal("2.50"), Decimal("1.25"), Decimal("2.50"), Decimal("10.00")),
    "gpt-4o-mini": Price(Decimal("0.15"), Decimal("0.075"), Decimal("0.15"), Decimal("0.60")),
    "claude-sonnet-4-6": Price(Decimal("3.00"), Decimal("0.30"), Decimal("3.75"), Decimal("15.00")),
}

MILLION = Decimal(1_000_000)


def cost(stats: Mapping[str, Any]) -> dict[str, Decimal]:
    """Dollars by model, from what the application itself counted (its ``/stats``)."""
    return {model: _of(PRICES[model], tokens) for model, tokens in stats["tokens"].items()}


def tokens(stats: Mapping[str, Any]) -> int:
    """All tokens that the application was told it used, each counted once."""
    return sum(count for kinds in stats["tokens"].values() for count in kinds.values())


def calls(stats: Mapping[str, Any]) -> int:
    """All answered calls."""
    return sum(stats["calls"].values())


def _of(price: Price, kinds: Mapping[str, int]) -> Decimal:
    return sum((Decimal(count) * getattr(price, kind) for kind, count in kinds.items()), Decimal(0)) / MILLION
