"""What a model costs by the price list: its base rates, and what else counts by tier, length of the input and hour of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import Decimal

from genai_prices import types as listed

from llmobs.prices.rows import Row, Variant

TIERS: Mapping[str, listed.PriceContext] = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast"},
}
"""What instrumentations call a service tier -> by what the list tells its prices."""

_KINDS = {
    "i": "input_mtok",
    "o": "output_mtok",
    "r": "cache_read_mtok",
    "w": "cache_write_mtok",
    "t": "output_reasoning_mtok",
    "h": "cache_write_1h_mtok",
    "ai": "input_audio_mtok",
    "ar": "cache_audio_read_mtok",
    "ao": "output_audio_mtok",
    "gi": "input_image_mtok",
    "gr": "cache_image_read_mtok",
    "go": "output_image_mtok",
}
_INSTEAD = {"r": "i", "w": "i", "t": "o"}
"""A rate that is missing is that of the whole that these tokens are part of."""


def row(model: listed.ModelInfo, at: dt.date | None) -> Row | None:
    """Prices per million tokens on the day ``at``; none for a model that is not billed by text tokens."""
    standard = _in_force(model, at)
    base = _figures(standard, long=False)
    if not base["i"] and not base["o"]:
        return None
    above = _above(standard)
    variants = [*_variants("", standard, above)]
    for tier, context in TIERS.items():
        other = _with(model, standard, context, at)
        if other is not standard:
            variants += [Variant(tier, 0.0, tuple(_figures(other, long=False).items())), *_variants(tier, other, above)]
    windows = _windows(model)
    for (start, end), prices in windows.items():
        variants.append(Variant(f"{start}-{end}", 0.0, tuple(_figures(prices, long=False).items())))
    found = {key: base[key] for key in base if key not in "iorwt"}
    hours = ",".join(f"{start}-{end}" for start, end in windows)
    different = tuple(item for item in variants if dict(item.rates) != base)
    return Row("", base["i"], base["o"], base["r"], base["w"], base["t"], more=tuple(found.items()), variants=different, hours=hours)


def _variants(tier: str, prices: listed.ModelPrice, above: float) -> Iterator[Variant]:
    if above:
        yield Variant(tier, above, tuple(_figures(prices, long=True).items()))


def _figures(prices: listed.ModelPrice, *, long: bool) -> dict[str, float]:
    given = {code: _rate(getattr(prices, name), long=long) for code, name in _KINDS.items()}
    found = {"i": given["i"] or 0.0, "o": given["o"] or 0.0}
    found |= {code: found[whole] if given[code] is None else given[code] or 0.0 for code, whole in _INSTEAD.items()}
    found |= {code: rate for code, rate in given.items() if rate is not None and code not in found}
    calls = _rate(prices.requests_kcount, long=long)
    return found if calls is None else {**found, "f": calls * 1000}


def _rate(price: Decimal | listed.TieredPrices | None, *, long: bool) -> float | None:
    if price is None:
        return None
    if isinstance(price, listed.TieredPrices):
        return float(price.tiers[-1].price if long else price.base)
    return float(price)


def _above(prices: listed.ModelPrice) -> float:
    """Input tokens beyond which the long rates count; 0: there are none. The list has one such bound for each model at most."""
    bounds = {tier.start for value in vars(prices).values() if isinstance(value, listed.TieredPrices) for tier in value.tiers}
    return float(max(bounds)) if bounds else 0.0


def _in_force(model: listed.ModelInfo, at: dt.date | None) -> listed.ModelPrice:
    if isinstance(model.prices, listed.ModelPrice):
        return model.prices
    for item in reversed(model.prices):
        if item.constraint is None or (isinstance(item.constraint, listed.StartDateConstraint) and _begun(item.constraint, at)):
            return item.prices
    return model.prices[0].prices


def _begun(constraint: listed.StartDateConstraint, at: dt.date | None) -> bool:
    return at is None or constraint.start_date <= at


def _with(model: listed.ModelInfo, standard: listed.ModelPrice, context: listed.PriceContext, at: dt.date | None) -> listed.ModelPrice:
    """The prices in another context; what it does not name is the standard price. Of several the first counts."""
    changed: dict[str, Decimal | listed.TieredPrices | None] = {}
    for item in model.price_variants or ():
        begun = item.constraint is None or (isinstance(item.constraint, listed.StartDateConstraint) and _begun(item.constraint, at))
        if begun and item.when == context:
            changed = {**{key: value for key, value in vars(item.prices).items() if value is not None}, **changed}
    return listed.ModelPrice(**{**vars(standard), **changed}) if changed else standard


def _windows(model: listed.ModelInfo) -> dict[tuple[int, int], listed.ModelPrice]:
    """Minutes of the day, UTC, from and until which other prices count."""
    if isinstance(model.prices, listed.ModelPrice):
        return {}
    timed = ((item.constraint, item.prices) for item in model.prices if isinstance(item.constraint, listed.TimeOfDateConstraint))
    return {(_minute(when.start_time), _minute(when.end_time)): prices for when, prices in timed}


def _minute(time: dt.time) -> int:
    return time.hour * 60 + time.minute
