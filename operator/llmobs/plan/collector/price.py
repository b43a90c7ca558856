"""What a call costs: tokens told apart and guarded, the row of the price table found, money and labels written on the span."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from llmobs.catalogue import generations as names
from llmobs.catalogue.metrics import OTHER, TOKEN_TYPES
from llmobs.plan.collector import tiers
from llmobs.plan.collector.identity import shortened
from llmobs.plan.collector.ottl import Place, Value, assign, at, group, literal, lookup, matches, replace, scope_is, span, transform
from llmobs.prices.names import STEPS
from llmobs.prices.rows import Rank, Row
from llmobs.prices.table import PriceTable

MODEL = "llm.model"
COST = "llm.cost.usd"
PRICED = "llm.cost.priced"

LEAVES = r"^(chat|generate_content|text_completion|embeddings)$"
"""Operations that are billed. Agents, workflows and tools repeat the usage of the calls inside them; fetch_response repeats a call's."""

MOST = 100_000_000.0
"""Tokens of one kind in one call beyond which a figure is taken for a mistake."""

LONGEST_MODEL = 256

_REPORTED = {"i": names.INPUT, "o": names.OUTPUT, "r": names.CACHE_READ, "w": names.CACHE_WRITE, "t": names.REASONING}
_COUNT = dict(zip(TOKEN_TYPES, ("u", "r", "w", "x", "t"), strict=True))
"""Token type -> cache key of its count: the disjoint ones."""


_MISSING = f"{at('span.cache', 'j')} == nil"


def label(name: str) -> str:
    """The span attribute that holds the value of a label."""
    return f"llmobs.{name}"


def tokens(kind: str) -> str:
    """The span attribute that holds the count of one token type."""
    return f"llmobs.tokens.{kind}"


def price(table: PriceTable) -> dict[str, Any]:
    """The processor. Only spans of billed operations get a price and, by it, series."""
    return transform(
        group(
            "span",
            [*_row(table), *_counts(), *tiers.rates(table.rows.values()), *_cost(), *_discount(table.discounts), *_word(), *_labels()],
            conditions=[matches(span(names.OPERATION), LEAVES)],
        )
    )


def _cache(key: str) -> str:
    return at("span.cache", key)


def _row(table: PriceTable) -> Iterator[str]:
    """The row by the requested model; by the answering one where the request names a deployment nobody lists.

    Each of the two takes statements of its own, which only hold the names: what is found stands once, behind them.
    """
    ranks, rows = table.ranks(), list(dict.fromkeys(row for _, row in sorted(table.rows.items())))
    sellers = sorted({full.partition("|")[0] for rank in ranks for full in rank.qualified})
    places = {row: Place(index) for index, row in enumerate(rows)}
    # a key that is missing is an error, and errors cost more than all else: nobody asks where nothing can be found
    yield assign(_cache("s"), "true", matches(span(names.PROVIDER), rf"^({'|'.join(re.escape(name) for name in sellers)})$"))
    for model in (names.REQUEST_MODEL, names.RESPONSE_MODEL):
        usable = (_MISSING, f"IsString({span(model)})", f"Len({span(model)}) <= {LONGEST_MODEL}")
        yield assign(_cache("k"), '""', _MISSING)
        yield assign(_cache("k"), f"ToLowerCase({span(model)})", *usable)
        yield assign(_cache("f"), "false", _MISSING)
        yield assign(_cache("f"), "true", _MISSING, matches(_cache("k"), "|".join(f"({step.pattern})" for step in STEPS)))
        yield from _lookups(ranks, places)
    yield assign(span(MODEL), literal(OTHER))
    yield from _found(rows, tiers.keyed(table.rows.values()))


def _lookups(ranks: tuple[Rank, ...], places: Mapping[Row, Place]) -> Iterator[str]:
    """Look the name up by each form. A row's form is the last that leaves its name alone, so the next step must change what it finds."""
    for form, step in enumerate((*STEPS, None)):
        several = (_MISSING, f"{_cache('f')} == true") if step else (_MISSING,)
        changed = (*several, matches(_cache("k"), step.pattern)) if step else several
        for rank in (item for item in ranks if item.form == form):
            if rank.qualified:
                key = f'Concat([{span(names.PROVIDER)}, {_cache("k")}], "|")'
                listed = {name: places[row] for name, row in rank.qualified.items()}
                yield assign(_cache("j"), lookup(listed, key), f"{_cache('s')} == true", *changed)
            if rank.plain:
                yield assign(_cache("j"), lookup({name: places[row] for name, row in rank.plain.items()}, _cache("k")), *changed)
        if step:
            yield replace(_cache("k"), step.pattern, step.replacement, *several)


def _found(rows: list[Row], keys: Mapping[tiers.Variants, str]) -> Iterator[str]:
    """What stands at the place that was found: the canonical name, and the figures, which many names share."""
    if not rows:
        return
    figures = [_figures(row, keys) for row in rows]
    distinct = {literal(item): item for item in figures}
    places = {text: Place(index) for index, text in enumerate(distinct)}
    found = f"{_cache('j')} != nil"
    yield assign(span(MODEL), lookup([row.model for row in rows], _cache("j")), found)
    place = lookup([places[literal(item)] for item in figures], _cache("j"))
    yield assign(_cache("p"), lookup(list(distinct.values()), place), found)


def _figures(row: Row, keys: Mapping[tiers.Variants, str]) -> dict[str, Value]:
    found: dict[str, Value] = {"i": row.input, "o": row.output, "r": row.cache_read, "w": row.cache_write, "t": row.reasoning}
    found |= tiers.figures(row, keys)
    return {**found, "a": 1.0} if row.agreed else found


def _counts() -> Iterator[str]:
    """Counts that are told apart.

    Conventions say that input includes the cached and output the reasoning tokens. Some scopes are known to leave them out; of
    the others a whole that its parts exceed was reported without them: nothing else is certain.
    """
    cached = [scope for item in names.generations() for scope in item.cached_apart]
    reasoning = [scope for item in names.generations() for scope in item.reasoning_apart]
    for key, attribute in _REPORTED.items():
        yield assign(_cache(key), f"Coalesce([Double({span(attribute)}), 0.0])")
    yield assign(_cache("u"), f"{_cache('i')} - {_cache('r')} - {_cache('w')}")
    yield assign(_cache("u"), _cache("i"), f"({_cache('u')} < 0.0 or {scope_is(cached)})")
    told = f"Double({span(names.TOTAL)}) - {_cache('i')} - {_cache('o')}"
    yield assign(_cache("t"), told, f"{_cache('t')} == 0.0", scope_is(reasoning), f"{told} > 0.0")
    yield assign(_cache("x"), f"{_cache('o')} - {_cache('t')}")
    yield assign(_cache("x"), _cache("o"), f"({_cache('x')} < 0.0 or {scope_is(reasoning)})")
    # NaN fails every comparison; a text that is no number leaves no count to compare
    sane = [f"{_cache(key)} >= 0.0 and {_cache(key)} <= {literal(MOST)}" for key in _REPORTED]
    yield assign(_cache("ok"), "true", *sane)
    used = f"({span(names.INPUT)} != nil or {span(names.OUTPUT)} != nil)"
    yield assign(_cache("used"), "true", used)


def _cost() -> Iterator[str]:
    good = (f"{_cache('ok')} == true", f"{_cache('used')} == true")
    rates = dict(zip(("u", "r", "w", "x", "t"), ("i", "r", "w", "o", "t"), strict=True))
    for chosen, when in (("p", f"{_cache('q')} == nil"), ("q", f"{_cache('q')} != nil")):
        total = " + ".join(f"{_cache(count)} * {at(_cache(chosen), rate)}" for count, rate in rates.items())
        yield assign(span(COST), f"({total}) / 1000000.0", f"{_cache('p')} != nil", when, *good)
    yield from tiers.apart(span(COST))
    for kind, count in _COUNT.items():
        reported = {"input": f"{span(names.INPUT)} != nil", "output": f"{span(names.OUTPUT)} != nil"}.get(kind, f"{_cache(count)} > 0.0")
        yield assign(span(tokens(kind)), _cache(count), reported, *good)


def _discount(discounts: Mapping[str, float]) -> Iterator[str]:
    """What providers take off their list prices."""
    if not discounts:
        return
    paid = {provider: float(1 - Decimal(str(share))) for provider, share in sorted(discounts.items())}
    listed = (f"{span(COST)} != nil", f"{at(_cache('p'), 'a')} == nil")
    yield assign(_cache("d"), literal(paid.pop("", 1.0)))
    if paid:
        yield assign(_cache("d"), lookup(paid, span(names.PROVIDER)), *listed)
    yield assign(span(COST), f"{span(COST)} * {_cache('d')}", *listed)


def _word() -> Iterator[str]:
    """Why a call has a price or none. A call without usage is not a model without a price."""
    yield assign(span(PRICED), '"unpriced"')
    yield assign(span(PRICED), '"no_usage"', f"{_cache('used')} == nil")
    yield assign(span(PRICED), '"bad_usage"', f"{_cache('ok')} == nil")
    yield assign(span(PRICED), '"priced"', f"{span(COST)} != nil")


def _labels() -> Iterator[str]:
    failed, kind = f'{span(label("outcome"))} == "error"', span("error.type")
    yield assign(span(label("provider")), '"unknown"')
    yield assign(span(label("provider")), span(names.PROVIDER), matches(span(names.PROVIDER), r"^[a-z0-9][a-z0-9._-]{0,62}$"))
    yield assign(span(label("model")), span(MODEL))
    yield assign(span(label("operation")), span(names.OPERATION))
    yield assign(span(label("priced")), span(PRICED))
    yield assign(span(label("outcome")), '"ok"')
    yield assign(span(label("outcome")), '"error"', f"(span.status.code == STATUS_CODE_ERROR or {kind} != nil)")
    yield assign(span(label("error_type")), '""')
    yield assign(span(label("error_type")), '"_OTHER"', failed)
    yield assign(span(label("error_type")), f"String({kind})", failed, matches(kind, r"^[A-Za-z0-9_.:-]{1,96}$"))
    for name, attribute in (("agent", names.AGENT), ("workflow", names.WORKFLOW)):
        yield assign(span(label(name)), '""')
        yield assign(span(label(name)), f"String({span(attribute)})", f"{span(attribute)} != nil")
        yield from shortened(span(label(name)))
