"""The rows of the price table and how a call finds its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from llmobs.prices.names import form_of, forms


@dataclass(frozen=True)
class Variant:
    """Rates that count instead of a row's own."""

    tier: str
    """The service tier, or minutes of the day, UTC, as ``from-until``; empty: any."""
    above: float
    """Input tokens beyond which it counts; 0: always."""
    rates: tuple[tuple[str, float], ...]
    """Rates by the letters that the collector's statements know them by."""


@dataclass(frozen=True)
class Row:
    """Prices of one model in US dollars per million tokens; every figure is filled in."""

    model: str
    """The canonical name: the label ``model``."""
    input: float
    output: float
    cache_read: float
    cache_write: float
    reasoning: float
    agreed: bool = False
    """Whether it is what is paid, by an LLMPriceList; discounts are taken off list prices only."""

    more: tuple[tuple[str, float], ...] = ()
    """Rates of tokens that few models tell apart, by the letters of the collector's statements."""
    variants: tuple[Variant, ...] = ()
    """What counts instead, by tier, length and hour."""
    hours: str = ""
    """The windows of the day that have variants, separated by commas."""

    def called(self, model: str) -> Row:
        """The same prices under another canonical name."""
        return replace(self, model=model)


@dataclass(frozen=True)
class Rank:
    """The rows that are looked up by one form of a call's model."""

    form: int
    """Position in :func:`llmobs.prices.names.forms`."""
    qualified: Mapping[str, Row]
    """Keys ``provider|name``; tried before the plain ones."""
    plain: Mapping[str, Row]


def key(provider: str | None, name: str) -> str:
    """The name of a row: qualified when it is one provider's."""
    return f"{provider}|{name}" if provider else name


def bare(full: str) -> str:
    """The name in a row's key, without its provider."""
    return full.rpartition("|")[2]


def ranks(rows: Mapping[str, Row]) -> tuple[Rank, ...]:
    """``rows`` grouped by the form that finds them, in the order in which they are tried; empty groups are left out."""
    grouped: dict[int, tuple[dict[str, Row], dict[str, Row]]] = {}
    for full, row in sorted(rows.items()):
        qualified, plain = grouped.setdefault(form_of(bare(full)), ({}, {}))
        (qualified if "|" in full else plain)[full] = row
    return tuple(Rank(form, *grouped[form]) for form in sorted(grouped))


def find(rows: Mapping[str, Row], name: str, provider: str | None = None) -> Row | None:
    """The row that prices a call, as the collector's statements find it: by the most specific form of the name that is listed."""
    for index, form in enumerate(forms(name)):
        for candidate in (key(provider, form), form):
            if candidate in rows and form_of(form) == index:
                return rows[candidate]
    return None


def find_anywhere(rows: Mapping[str, Row], name: str) -> Row | None:
    """As :func:`find`, then any provider's own row for the name: the first by the provider's name."""
    found = find(rows, name)
    if found:
        return found
    wanted = forms(name)
    others = [(wanted.index(bare(full)), full) for full in rows if bare(full) in wanted]
    return rows[min(others)[1]] if others else None
