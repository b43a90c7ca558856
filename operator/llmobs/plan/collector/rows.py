"""Which row of the price table prices a call: found by the model's name as it came, else by what is left of it after each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from llmobs.catalogue import generations as names
from llmobs.plan.collector.figures import rows
from llmobs.plan.collector.ottl import Place, Value, assign, at, lookup, replace, span
from llmobs.prices.names import STEPS
from llmobs.prices.rows import Rank, Row
from llmobs.prices.table import PriceTable

ROW = "llmobs.row"
"""The span attribute with the place of the row."""

MISSING = f"{span(ROW)} == nil"

LONGEST_MODEL = 256

FEW = 20
"""Names beyond which a map, which is searched from its beginning, is one for each length of a name."""

_NAME, _NEXT = at("span.cache", "k"), at("span.cache", "n")

Places = Mapping[Row, Place]


def listed(table: PriceTable) -> Iterator[str]:
    """Look the requested name up as it came: a name that is listed needs no step, whichever form would find it."""
    places = _places(table)
    qualified = {name: row for name, row in table.rows.items() if "|" in name}
    yield _named(names.REQUEST_MODEL)
    yield from _lookups(qualified, {name: row for name, row in table.rows.items() if name not in qualified}, places)


def derived(table: PriceTable) -> Iterator[str]:
    """Look the requested name up by each other form; then the one that answered, where the request names a deployment nobody lists."""
    ranks = table.ranks()
    yield _named(names.REQUEST_MODEL)
    yield from _forms([rank for rank in ranks if rank.form], _places(table))
    yield assign(_NAME, '""', MISSING)
    yield _named(names.RESPONSE_MODEL, MISSING, f"{span(names.RESPONSE_MODEL)} != {span(names.REQUEST_MODEL)}")
    yield from _forms(ranks, _places(table))


def _places(table: PriceTable) -> Places:
    return {row: Place(index) for index, row in enumerate(rows(table))}


def _named(attribute: str, *conditions: str) -> str:
    model = span(attribute)
    return assign(_NAME, f"ToLowerCase({model})", *conditions, f"IsString({model})", f"Len({model}) <= {LONGEST_MODEL}")


def _forms(ranks: Sequence[Rank], places: Places) -> Iterator[str]:
    """A row's form is the last that leaves its name alone, so the next step must change what it finds."""
    for form, step in enumerate((*STEPS, None)):
        changed: tuple[str, ...] = (MISSING,)
        if step:
            yield assign(_NEXT, _NAME, MISSING)
            yield replace(_NEXT, step.pattern, step.replacement, MISSING)
            changed = (MISSING, f"{_NEXT} != {_NAME}")
        for rank in (item for item in ranks if item.form == form):
            yield from _lookups(rank.qualified, rank.plain, places, *changed)
        if step:
            yield assign(_NAME, _NEXT, *changed)


def _lookups(qualified: Mapping[str, Row], plain: Mapping[str, Row], places: Places, *conditions: str) -> Iterator[str]:
    """First among the names of the provider, then among those that are everybody's."""
    if qualified:
        sellers: dict[str, dict[str, Value]] = {}
        for full, row in sorted(qualified.items()):
            seller, _, name = full.rpartition("|")
            sellers.setdefault(seller, {})[name] = places[row]
        yield assign(span(ROW), f"{lookup(sellers, span(names.PROVIDER))}[{_NAME}]", *conditions)
    if plain:
        found: dict[str, Value] = {name: places[row] for name, row in sorted(plain.items())}
        missing = [MISSING] if qualified and MISSING not in conditions else []
        yield assign(span(ROW), _plain(found), *conditions, *missing)


def _plain(found: Mapping[str, Value]) -> str:
    if len(found) <= FEW:
        return lookup(found, _NAME)
    by_length: list[dict[str, Value]] = [{} for _ in range(max(len(name.encode()) for name in found) + 1)]
    for name, place in found.items():
        by_length[len(name.encode())][name] = place
    return f"{lookup(by_length, f'Len({_NAME})')}[{_NAME}]"
