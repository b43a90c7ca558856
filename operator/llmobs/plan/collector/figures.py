"""The figures of the price table as the collector reads them: one list for each rate, and apart what few models have besides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from llmobs.plan.collector.ottl import Place, Value, literal
from llmobs.prices.rows import Row, Variant
from llmobs.prices.table import PriceTable

Variants = tuple[Variant, ...]

_ALWAYS = ("s", "c", "f")
"""What counts whatever a call says of itself: the length of its input, the hour, a fee."""

_BASE = frozenset("irwota")


@dataclass(frozen=True)
class Figures:
    """The distinct figures, and where those of each row stand among them."""

    distinct: tuple[Mapping[str, Value], ...]
    """Those with rates alone, from :attr:`varied` on those that some calls turn into others, from :attr:`special` on those that all may."""
    places: tuple[Place, ...]
    """Of each of :func:`rows`, the place of its figures."""
    varied: int
    special: int

    def rates(self, rate: str) -> list[Value]:
        """One rate of all figures, by its letter."""
        return [item[rate] for item in self.distinct]

    def agreed(self) -> list[Value]:
        """1 where discounts are not taken off."""
        return [Place("a" in item) for item in self.distinct]


def rows(table: PriceTable) -> list[Row]:
    """The distinct rows; their places are what a name leads to."""
    return list(dict.fromkeys(row for _, row in sorted(table.rows.items())))


def figures(table: PriceTable) -> Figures:
    """Of the whole table."""
    keys = keyed(table.rows.values())
    texts = {row: _figures(row, keys) for row in rows(table)}
    distinct = {literal(item): item for item in sorted(texts.values(), key=_sort)}
    places = {text: Place(index) for index, text in enumerate(distinct)}
    sorts = [_sort(item) for item in distinct.values()]
    return Figures(
        distinct=tuple(distinct.values()),
        places=tuple(places[literal(item)] for item in texts.values()),
        varied=sorts.count(0),
        special=len(sorts) - sorts.count(2),
    )


def keyed(every: Iterable[Row]) -> dict[Variants, str]:
    """The distinct sets of variants -> the key by which a row names its own."""
    return {variants: str(index) for index, variants in enumerate(dict.fromkeys(row.variants for row in every if row.variants))}


def _figures(row: Row, keys: Mapping[Variants, str]) -> dict[str, Value]:
    found: dict[str, Value] = {"i": row.input, "o": row.output, "r": row.cache_read, "w": row.cache_write, "t": row.reasoning}
    found |= row.more
    above = [item.above for item in row.variants if item.above]
    if row.variants:
        found["v"] = keys[row.variants]
    if above:
        found["s"] = above[0]
    if row.hours:
        found["c"] = row.hours
    return {**found, "a": 1.0} if row.agreed else found


def _sort(item: Mapping[str, Value]) -> int:
    if any(key in item for key in _ALWAYS):
        return 2
    return 0 if _BASE.issuperset(item) else 1
