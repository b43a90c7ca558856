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
from llmobs.plan.collector.ottl import assign, at, group, literal, lookup, matches, replace, resource, span, transform
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
    listed = f"IsList({span(runs.MODELS)})"
    yield assign(_cache("n"), f"Len({span(runs.MODELS)})", listed)
    # copied once for all models: a map literal takes no index, and a table for each model would not fit the configuration
    yield assign(_cache("table"), literal(_flat(table)), f"{_cache('n')} > 0", f"{_cache('n')} <= {MODELS}")
    yield assign(_cache("done"), "0")
    yield assign(_cache("sum"), "0.0")
    for index in range(MODELS):
        yield from _model(index, table)
    yield assign(span(COST), _cache("sum"), f"{_cache('done')} == {_cache('n')}")


def _flat(table: PriceTable) -> dict[str, str]:
    """Name -> prices as one text: a map of texts is copied five times faster than a map of maps."""
    return {name: ",".join(_figures(row)) for name, row in sorted(table.rows.items())}


def _figures(row: Row) -> Iterator[str]:
    """The prices, then whether they are list prices."""
    yield from (literal(getattr(row, rate)).removesuffix(".0") for rate in _RATES)
    yield "0" if row.agreed else "1"


def _model(index: int, table: PriceTable) -> Iterator[str]:
    """One model of the summary: found by name as the calls are, then counted."""
    here = f"{_cache('n')} > {index}"
    named = f"String({span(runs.MODELS)}[{index}])"
    yield assign(_cache("p"), '""')
    yield assign(_cache("s"), f"ToLowerCase({named})", here)
    yield assign(_cache("k"), _cache("s"), here)
    yield replace(_cache("s"), r"(?s)/.*$", "", here)
    yield assign(_cache("s"), lookup(SYNONYMS, _cache("s")), here, matches(_cache("s"), f"^({'|'.join(map(_quoted, sorted(SYNONYMS)))})$"))
    yield replace(_cache("k"), r"^[^/]*/", "", here)
    for step in (*STEPS, None):
        missing = (here, f'{_cache("p")} == ""')
        yield assign(_cache("p"), f'{_cache("table")}[Concat([{_cache("s")}, {_cache("k")}], "|")]', *missing)
        yield assign(_cache("p"), f"{_cache('table')}[{_cache('k')}]", *missing)
        if step:
            yield replace(_cache("k"), step.pattern, step.replacement, *missing)
    yield from _money(index, table, f'{_cache("p")} != ""')


def _money(index: int, table: PriceTable, found: str) -> Iterator[str]:
    yield assign(_cache("f"), f'Split({_cache("p")}, ",")', found)
    for key, attribute in _READ.items():
        yield assign(_cache(key), "-1.0", found)
        yield assign(_cache(key), f"Double({span(attribute)}[{index}])", found)
    yield assign(_cache("u"), f"{_cache('i')} - {_cache('r')} - {_cache('w')}", found)
    yield assign(_cache("u"), _cache("i"), found, f"{_cache('u')} < 0.0")
    yield assign(_cache("x"), f"{_cache('o')} - {_cache('t')}", found)
    yield assign(_cache("x"), _cache("o"), found, f"{_cache('x')} < 0.0")
    yield from _discount(table, found)
    sane = [f"{_cache(key)} >= 0.0 and {_cache(key)} <= {literal(MOST)}" for key in _READ]
    parts = " + ".join(f"{_cache(count)} * Double({_cache('f')}[{place}])" for place, count in enumerate("urwxt"))
    yield assign(_cache("sum"), f"{_cache('sum')} + ({parts}) * {_cache('d')} / 1000000.0", found, *sane)
    yield assign(_cache("done"), f"{_cache('done')} + 1", found, *sane)


def _discount(table: PriceTable, found: str) -> Iterator[str]:
    """What providers take off their list prices."""
    yield assign(_cache("d"), "1.0", found)
    shares = {provider: float(1 - Decimal(str(share))) for provider, share in sorted(table.discounts.items())}
    if not shares:
        return
    listed = (found, f'{_cache("f")}[{len(_RATES)}] == "1"')
    yield assign(_cache("d"), literal(shares.pop("", 1.0)), *listed)
    if shares:
        yield assign(_cache("d"), lookup(shares, _cache("s")), *listed)


def _quoted(name: str) -> str:
    return name.replace(".", r"\.")
