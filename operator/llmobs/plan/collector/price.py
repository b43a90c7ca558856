"""What a call costs: tokens told apart and guarded, the row of the price table found, money and labels written on the span."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from llmobs.catalogue import generations as names
from llmobs.catalogue.metrics import OTHER, TOKEN_TYPES
from llmobs.plan.collector import rows, tiers
from llmobs.plan.collector.figures import Figures
from llmobs.plan.collector.figures import figures as figures_of
from llmobs.plan.collector.figures import rows as distinct
from llmobs.plan.collector.identity import shortened
from llmobs.plan.collector.ottl import assign, at, group, literal, lookup, matches, scope_is, span, transform, upsert
from llmobs.prices.table import PriceTable

MODEL = "llm.model"
COST = "llm.cost.usd"
PRICED = "llm.cost.priced"

AGREED = "llmobs.agreed"
"""Marks a call at a price that no discount is taken off."""

LEAVES = r"^(chat|generate_content|text_completion|embeddings)$"
"""Operations that are billed. Agents, workflows and tools repeat the usage of the calls inside them; fetch_response repeats a call's."""

MOST = 100_000_000.0
"""Tokens of one kind in one call beyond which a figure is taken for a mistake."""

_REPORTED = {"i": names.INPUT, "o": names.OUTPUT, "r": names.CACHE_READ, "w": names.CACHE_WRITE, "t": names.REASONING}
_COUNT = dict(zip(TOKEN_TYPES, ("u", "r", "w", "x", "t"), strict=True))
"""Token type -> cache key of its count: the disjoint ones."""

_HELD = {"model": MODEL, "priced": PRICED, "operation": names.OPERATION}
"""Labels whose value a span holds anyway."""


def label(name: str) -> str:
    """The span attribute that holds the value of a label."""
    return _HELD.get(name, f"llmobs.{name}")


def tokens(kind: str) -> str:
    """The span attribute that holds the count of one token type."""
    return f"llmobs.tokens.{kind}"


def price(table: PriceTable) -> dict[str, Any]:
    """The processor. Only spans of billed operations get a price and, by it, series.

    What few calls need stands in groups of their own, because a group that is passed over costs as much as one statement.
    """
    figures = figures_of(table)
    billed = f"{span(PRICED)} != nil"
    return transform(
        group("span", [_unknown(), *rows.listed(table)], conditions=[matches(span(names.OPERATION), LEAVES)]),
        group("span", rows.derived(table), conditions=[f"{billed} and {rows.MISSING}"]),
        group("span", [*_found(table, figures), *_counts(), *_cost(figures, table.discounts), *_word(), *_labels()], conditions=[billed]),
        *tiers.groups(table, figures, COST, {count: tokens(kind) for kind, count in _COUNT.items()}),
        *discount(table.discounts),
    )


def _cache(key: str) -> str:
    return at("span.cache", key)


def _unknown() -> str:
    """What holds as long as nothing better is found."""
    plain = {"provider": "unknown", "outcome": "ok", "error_type": "", "agent": "", "workflow": ""}
    return upsert("span.attributes", {PRICED: "unpriced", MODEL: OTHER, **{label(name): value for name, value in plain.items()}})


def _found(table: PriceTable, figures: Figures) -> Iterator[str]:
    """What stands at the place that was found: the canonical name, and where the figures stand, which many names share."""
    if not table.rows:
        return
    found = f"{span(rows.ROW)} != nil"
    yield assign(span(MODEL), lookup([row.model for row in distinct(table)], span(rows.ROW)), found)
    yield assign(_cache("p"), lookup(figures.places, span(rows.ROW)), found)


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
    yield assign(_cache("good"), "true", f"{_cache('ok')} == true", used)


def _cost(figures: Figures, discounts: Mapping[str, float]) -> Iterator[str]:
    good = f"{_cache('good')} == true"
    if figures.places:
        total = " + ".join(f"{_cache(count)} * {lookup(figures.rates(rate), _cache('p'))}" for count, rate in tiers.RATE.items())
        yield assign(span(COST), f"({total}) / 1000000.0", good, f"{_cache('p')} != nil")
        yield from tiers.marked(figures, _cache("p"), span(COST))
    if discounts and figures.places:
        yield assign(span(AGREED), "true", f"{_cache('p')} != nil", f"{lookup(figures.agreed(), _cache('p'))} == 1")
    for kind, count in _COUNT.items():
        reported = {"input": f"{span(names.INPUT)} != nil", "output": f"{span(names.OUTPUT)} != nil"}.get(kind, f"{_cache(count)} > 0.0")
        yield assign(span(tokens(kind)), _cache(count), good, reported)


def discount(discounts: Mapping[str, float]) -> Iterator[dict[str, object]]:
    """What providers take off their list prices."""
    if not discounts:
        return
    paid = {provider: float(1 - Decimal(str(share))) for provider, share in sorted(discounts.items())}
    statements = [assign(_cache("d"), literal(paid.pop("", 1.0)))]
    if paid:
        statements.append(assign(_cache("d"), lookup(paid, span(names.PROVIDER))))
    statements.append(assign(span(COST), f"{span(COST)} * {_cache('d')}"))
    yield group("span", statements, conditions=[f"{span(COST)} != nil and {span(AGREED)} == nil"])


def _word() -> Iterator[str]:
    """Why a call has a price or none. A call without usage is not a model without a price."""
    yield assign(span(PRICED), '"priced"', f"{span(COST)} != nil")
    yield assign(span(PRICED), '"bad_usage"', f"{_cache('ok')} == nil")
    yield assign(span(PRICED), '"no_usage"', f"{_cache('ok')} == true", f"{span(names.INPUT)} == nil", f"{span(names.OUTPUT)} == nil")


def provider() -> str:
    """The label of who was asked, where it looks like a name."""
    said = span(names.PROVIDER)
    return assign(span(label("provider")), said, f"Len({said}) <= 63", matches(said, r"^[a-z0-9][a-z0-9._-]*$"))


def error_type(said: str) -> str:
    """The condition that what is said of an error is the name of a type."""
    return matches(said, r"^[A-Za-z0-9_.:-]{1,96}$")


def _labels() -> Iterator[str]:
    failed, kind = f'{span(label("outcome"))} == "error"', span("error.type")
    yield provider()
    yield assign(span(label("outcome")), '"error"', f"(span.status.code == STATUS_CODE_ERROR or {kind} != nil)")
    yield assign(span(label("error_type")), '"_OTHER"', failed)
    yield assign(span(label("error_type")), f"String({kind})", failed, error_type(kind))
    for name, attribute in (("agent", names.AGENT), ("workflow", names.WORKFLOW)):
        yield assign(span(label(name)), f"String({span(attribute)})", f"{span(attribute)} != nil")
        yield from shortened(span(label(name)))
