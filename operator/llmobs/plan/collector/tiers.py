"""Rates that count instead of a row's own: by service tier, by the length of the input, by the hour; and tokens few models tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from llmobs.catalogue import generations as names
from llmobs.plan.collector.figures import Figures, keyed
from llmobs.plan.collector.ottl import assign, at, group, literal, lookup, matches, span
from llmobs.prices.rates import TIERS
from llmobs.prices.rows import Row, Variant
from llmobs.prices.table import PriceTable

LONG = "long"

SPECIAL = "llmobs.special"
"""Marks a call whose rates may be others than its row's: the place of its figures among those of which that is true."""

RATE = {"u": "i", "r": "r", "w": "w", "x": "o", "t": "t"}
"""Count -> the rate that it is paid at."""

_APART = (
    # attribute, its rate, the rate and the count of the tokens that it is part of
    (names.CACHE_WRITE_1H, "h", "w", "w"),
    (names.AUDIO_INPUT, "ai", "i", "u"),
    (names.AUDIO_CACHED, "ar", "r", "r"),
    (names.AUDIO_OUTPUT, "ao", "o", "x"),
    (names.IMAGE_INPUT, "gi", "i", "u"),
    (names.IMAGE_CACHED, "gr", "r", "r"),
    (names.IMAGE_OUTPUT, "go", "o", "x"),
)
_CACHED = {names.AUDIO_INPUT: names.AUDIO_CACHED, names.IMAGE_INPUT: names.IMAGE_CACHED}
"""Tokens that include those beside them."""


def _cache(key: str) -> str:
    return at("span.cache", key)


def marked(figures: Figures, place: str, cost: str) -> Iterator[str]:
    """Mark the calls whose rates may be others than those at ``place``: all by some figures, by others those that say so."""
    index = f"{place} - {figures.varied}"
    if figures.special < len(figures.distinct):
        yield assign(span(SPECIAL), index, f"{cost} != nil", f"{place} >= {figures.special}")
    if figures.varied < figures.special:
        told = " or ".join(f"{span(item)} != nil" for item in (*names.SERVICE_TIERS, *(attribute for attribute, *_ in _APART)))
        yield assign(span(SPECIAL), index, f"{cost} != nil", f"{place} >= {figures.varied}", f"{place} < {figures.special}", f"({told})")


def groups(table: PriceTable, figures: Figures, cost: str, counts: Mapping[str, str]) -> Iterator[dict[str, object]]:
    """The group of statements that prices the marked calls anew; ``counts``: the letter of each count -> the attribute that holds it."""
    if figures.varied == len(figures.distinct):
        return
    found = assign(_cache("p"), lookup(figures.distinct[figures.varied :], span(SPECIAL)))
    counted = [assign(_cache(count), f"Coalesce([{span(attribute)}, 0.0])") for count, attribute in counts.items()]
    total = " + ".join(f"{_cache(count)} * {at(_cache('q'), rate)}" for count, rate in RATE.items())
    again = assign(span(cost), f"({total}) / 1000000.0", f"{_cache('q')} != nil")
    statements = [found, *counted, *rates(table.rows.values()), again, *apart(span(cost))]
    yield group("span", statements, conditions=[f"{span(SPECIAL)} != nil"])


def rates(rows: Iterable[Row]) -> Iterator[str]:
    """Choose the rates: ``q``, where they are not the row's own."""
    every = list(rows)
    keys = keyed(every)
    if not keys:
        return
    varied = f"{at(_cache('p'), 'v')} != nil"
    yield assign(_cache("z"), '""', varied)
    yield assign(_cache("l"), '""', varied)
    used = f"Coalesce([{', '.join(span(item) for item in names.SERVICE_TIERS)}])"
    told = " or ".join(f"{span(item)} != nil" for item in names.SERVICE_TIERS)
    yield assign(_cache("y"), used, varied, f"({told})")
    yield assign(_cache("z"), _cache("y"), f"{_cache('y')} != nil", matches(_cache("y"), rf"^({'|'.join(TIERS)})$"))
    yield from _hours(every)
    given = f"{_cache('u')} + {_cache('r')} + {_cache('w')}"
    yield assign(_cache("l"), literal(LONG), f"{at(_cache('p'), 's')} != nil", f"{given} > {at(_cache('p'), 's')}")
    table = {_key(key, item): dict(item.rates) for variants, key in keys.items() for item in variants}
    for tier, other in ((_cache("z"), f'({_cache("z")} != "" or {_cache("l")} != "")'), ('""', f'{_cache("l")} != ""')):
        key = f'Concat([{at(_cache("p"), "v")}, {tier}, {_cache("l")}], "|")'
        yield assign(_cache("q"), lookup(table, key), f"{_cache('q')} == nil", varied, other)


def _key(key: str, item: Variant) -> str:
    return f"{key}|{item.tier}|{LONG if item.above else ''}"


def _hours(rows: list[Row]) -> Iterator[str]:
    minute = "(Hour(span.start_time) * 60 + Minute(span.start_time))"
    for hours in sorted({row.hours for row in rows if row.hours}):
        for window in hours.split(","):
            start, _, end = window.partition("-")
            timed = (f"{at(_cache('p'), 'c')} == {literal(hours)}", f"{minute} >= {start}", f"{minute} < {end}")
            yield assign(_cache("z"), literal(window), *timed)


def apart(cost: str) -> Iterator[str]:
    """Add to ``cost`` the fee for a call, and what tokens with a rate of their own cost beyond the rate of the tokens they are part of."""
    fee = at(_cache("p"), "f")
    yield assign(cost, f"{cost} + {fee} / 1000000.0", f"{cost} != nil", f"{fee} != nil")
    told = " or ".join(f"{span(attribute)} != nil" for attribute, *_ in _APART)
    yield assign(_cache("n"), "true", f"{cost} != nil", f"({told})")
    counted = f"{_cache('n')} == true"
    yield assign(_cache("q"), _cache("p"), counted, f"{_cache('q')} == nil")
    for attribute, rate, whole, count in _APART:
        own = at(_cache("q"), rate)
        tokens = f"Double({span(attribute)})"
        known = (counted, f"{span(attribute)} != nil", f"{own} != nil")
        cached = _CACHED.get(attribute)
        yield assign(_cache("c"), tokens, *known)
        if cached:
            yield assign(_cache("c"), f"{tokens} - Double({span(cached)})", *known, f"{span(cached)} != nil")
        more = f"{cost} + {_cache('c')} * ({own} - {at(_cache('q'), whole)}) / 1000000.0"
        yield assign(cost, more, *known, f"{_cache('c')} > 0.0", f"{_cache('c')} <= {_cache(count)}")
