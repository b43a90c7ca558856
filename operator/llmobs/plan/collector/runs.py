"""Runs of agents: the runtime's summary on the run's own span, checked, and priced from the one price table.

A run's money is that of its calls, which are counted as they come; here it is only told for the run as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from llmobs.catalogue import runs
from llmobs.plan.collector.identity import shortened
from llmobs.plan.collector.observe import agent, outcome
from llmobs.plan.collector.ottl import Value, assign, at, group, literal, lookup, matches, merge, replace, resource, span, transform
from llmobs.plan.collector.policies import REPEATS
from llmobs.plan.collector.price import MOST
from llmobs.prices.names import STEPS
from llmobs.prices.providers import SYNONYMS
from llmobs.prices.rows import Row
from llmobs.prices.table import PriceTable

RUN = "llmobs.run"
"""Marks a run."""
COST = "llm.run.cost.usd"
COUNTED = "llm.run.steps"
LOOP = "llmobs.loop"
"""The tool of a run that executed it too often in a row."""

MODELS = 6
"""A run of more models has no price: each takes statements of its own."""

MOST_STEPS = 1_000_000.0

_RATES = ("input", "cache_read", "cache_write", "output", "reasoning")
_READ = dict(
    zip(
        "irwot",
        (runs.INPUT_TOKENS, runs.CACHE_READ_TOKENS, runs.CACHE_WRITE_TOKENS, runs.OUTPUT_TOKENS, runs.REASONING_TOKENS),
        strict=True,
    )
)


def price_runs(table: PriceTable) -> dict[str, Any]:
    """The processor. Only spans with a summary cost anything here."""
    return transform(group("span", [*_labels(), *_cost(table)], conditions=[f"{span(runs.STEPS)} != nil"]))


def _cache(key: str) -> str:
    return at("span.cache", key)


def _labels() -> Iterator[str]:
    steps, repeats = f"Double({span(runs.STEPS)})", f"Double({span(runs.LOOP_COUNT)})"
    yield assign(span(RUN), "true")
    yield from agent()
    yield from outcome()
    yield assign(span(COUNTED), steps, f"{steps} >= 0.0 and {steps} <= {literal(MOST_STEPS)}")
    most = f"Double({resource(REPEATS)})"
    looped = f"String({span(runs.LOOP_TOOL)})"
    named = f"{span(runs.LOOP_TOOL)} != nil"
    yield assign(span(LOOP), looped, named, f"{resource(REPEATS)} == nil", f"{repeats} > {literal(3)}")
    yield assign(span(LOOP), looped, named, f"{resource(REPEATS)} != nil", f"{repeats} > {most}")
    yield from shortened(span(LOOP))


def _cost(table: PriceTable) -> Iterator[str]:
    """Each model's tokens at its prices; only a sum of all of them is told."""
    many = f"Len({span(runs.MODELS)})"
    yield assign(_cache("n"), many, f"IsList({span(runs.MODELS)})", f"{many} <= {MODELS}")
    yield from _sellers()
    # every form of every name first, then one look for all: the table stands here once, and only what is asked for is copied
    yield assign(_cache("c"), "{}", _here(0))
    for index in range(MODELS):
        yield from _asked(index)
    yield merge(_cache("c"), _flat(table), _here(0))
    yield assign(_cache("done"), "0")
    yield assign(_cache("sum"), "0.0")
    for index in range(MODELS):
        yield from _answered(index)
        yield from _money(index, table, f'{_cache("p")} != ""')
    yield assign(span(COST), _cache("sum"), f"{_cache('done')} == {_cache('n')}")


def _here(index: int) -> str:
    """The condition that the run used so many models, counted from 0."""
    return f"{_cache('n')} > {index}"


def _flat(table: PriceTable) -> dict[str, Value]:
    """Name -> prices as one text."""
    return {name: ",".join(_figures(row)) for name, row in sorted(table.rows.items())}


def _figures(row: Row) -> Iterator[str]:
    """The prices, then whether they are list prices."""
    yield from (literal(getattr(row, rate)).removesuffix(".0") for rate in _RATES)
    yield "0" if row.agreed else "1"


def _sellers() -> Iterator[str]:
    """Provider and name of each model; the provider as the table calls it."""
    yield assign(_cache("y"), "{}", _here(0))
    for index in range(MODELS):
        seller, name = _cache(f"s{index}"), _cache(f"k{index}0")
        yield assign(name, f"ToLowerCase(String({span(runs.MODELS)}[{index}]))", _here(index))
        yield assign(seller, name, _here(index))
        yield replace(seller, r"(?s)/.*$", "", _here(index))
        yield replace(name, r"^[^/]*/", "", _here(index))
        yield assign(f"{_cache('y')}[{seller}]", seller, _here(index))
    yield merge(_cache("y"), SYNONYMS, _here(0))
    for index in range(MODELS):
        yield assign(_cache(f"s{index}"), f"{_cache('y')}[{_cache(f's{index}')}]", _here(index))


def _asked(index: int) -> Iterator[str]:
    """Each name by which the model may be listed, kept for :func:`_answered` and made a key of what is looked for."""
    first, last = (_cache(f"k{index}{form}") for form in (0, len(STEPS)))
    decorated = (_here(index), f"{_cache(f'f{index}')} == true")
    yield assign(_cache(f"f{index}"), matches(first, "|".join(f"({step.pattern})" for step in STEPS)), _here(index))
    yield assign(last, first, _here(index))
    for form, step in enumerate(STEPS):
        name, following = _cache(f"k{index}{form}"), _cache(f"k{index}{form + 1}")
        yield assign(following, name, *decorated)
        yield replace(following, step.pattern, step.replacement, *decorated)
    for key, *where in _keys(index):
        yield assign(f"{_cache('c')}[{key}]", '""', *where)


def _answered(index: int) -> Iterator[str]:
    """The prices of the first of its names that has any."""
    yield assign(_cache("p"), '""')
    for key, *where in _keys(index):
        yield assign(_cache("p"), f"{_cache('c')}[{key}]", *where, f'{_cache("p")} == ""')


def _keys(index: int) -> Iterator[tuple[str, ...]]:
    """Keys of the table in the order in which a call's are tried, and their conditions: a plain name has but one form."""
    for form in range(len(STEPS) + 1):
        name = _cache(f"k{index}{form}")
        where = (_here(index), f"{_cache(f'f{index}')} == true") if form < len(STEPS) else (_here(index),)
        yield f'Concat([{_cache(f"s{index}")}, {name}], "|")', *where
        yield name, *where


def _money(index: int, table: PriceTable, found: str) -> Iterator[str]:
    yield assign(_cache("f"), f'Split({_cache("p")}, ",")', found)
    for key, attribute in _READ.items():
        yield assign(_cache(key), "-1.0", found)
        yield assign(_cache(key), f"Double({span(attribute)}[{index}])", found)
    yield assign(_cache("u"), f"{_cache('i')} - {_cache('r')} - {_cache('w')}", found)
    yield assign(_cache("u"), _cache("i"), found, f"{_cache('u')} < 0.0")
    yield assign(_cache("x"), f"{_cache('o')} - {_cache('t')}", found)
    yield assign(_cache("x"), _cache("o"), found, f"{_cache('x')} < 0.0")
    yield from _discount(index, table, found)
    sane = [f"{_cache(key)} >= 0.0 and {_cache(key)} <= {literal(MOST)}" for key in _READ]
    parts = " + ".join(f"{_cache(count)} * Double({_cache('f')}[{place}])" for place, count in enumerate("urwxt"))
    yield assign(_cache("sum"), f"{_cache('sum')} + ({parts}) * {_cache('d')} / 1000000.0", found, *sane)
    yield assign(_cache("done"), f"{_cache('done')} + 1", found, *sane)


def _discount(index: int, table: PriceTable, found: str) -> Iterator[str]:
    """What providers take off their list prices."""
    yield assign(_cache("d"), "1.0", found)
    shares = {provider: float(1 - Decimal(str(share))) for provider, share in sorted(table.discounts.items())}
    if not shares:
        return
    listed = (found, f'{_cache("f")}[{len(_RATES)}] == "1"')
    yield assign(_cache("d"), literal(shares.pop("", 1.0)), *listed)
    if shares:
        yield assign(_cache("d"), lookup(shares, _cache(f"s{index}")), *listed)
