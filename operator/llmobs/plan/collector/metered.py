"""Calls of applications that send only metrics: what their data points tell, noted for the series of calls.

Three histograms of the conventions are read: how long calls took, their tokens, the time to a stream's first chunk. Metrics tell neither
cached tokens nor tiers nor the length of a single call's input, so the money is an estimate: all input at the price of input, all output
at that of output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmobs.catalogue import generations as names
from llmobs.catalogue.metrics import ESTIMATED, OTHER
from llmobs.plan.collector import buckets, price, rows
from llmobs.plan.collector import components as c
from llmobs.plan.collector.figures import figures as figures_of
from llmobs.plan.collector.figures import rows as distinct
from llmobs.plan.collector.ottl import assign, at, datapoint, drop, group, literal, lookup, matches, of_points, resource, transform, upsert
from llmobs.plan.collector.policies import SOURCE
from llmobs.prices.providers import SYNONYMS
from llmobs.prices.table import PriceTable

DURATION, USAGE, FIRST_CHUNK = (f"gen_ai.client.{name}" for name in ("operation.duration", "token.usage", "operation.time_to_first_chunk"))
"""The conventions' histograms until their successors with counters, which no instrumentation sends yet."""

UNTRUST, POLICY, NOTE = (f"{c.TRANSFORM}/metrics.{name}" for name in ("untrust", "policy", "note"))
UNASKED, CUMULATIVE = f"{c.FILTER}/metrics.unasked", f"{c.FILTER}/metrics.cumulative"
FORGET = f"{c.TRANSFORM}/uncounted"

KIND = "llmobs.token_type"
TOKENS = "llmobs.tokens"
"""Tokens of one kind, on data points that tell of tokens."""

MOST_CALLS = 1_000_000_000.0
"""Calls of one data point beyond which it is taken for a mistake."""

LONGEST = 86_400.0
"""Seconds of one call."""

_PLACE = datapoint("llmobs.place")
"""Where the figures of its price stand: a cache does not outlast a group of statements."""

_KINDS = {"input": "input", "output": "output", "completion": "output"}

_NAMED = r"^gen_ai\.client\.(operation\.(duration|time_to_first_chunk)|token\.usage)$"
_HISTOGRAM = "(metric.type == METRIC_DATA_TYPE_HISTOGRAM or metric.type == METRIC_DATA_TYPE_EXPONENTIAL_HISTOGRAM)"


def told_by(name: str) -> str:
    """The condition that a data point is one of this metric."""
    return f"metric.name == {literal(name)}"


def filters() -> dict[str, Any]:
    """What is dropped, each sort by a filter of its own, because a filter counts what it drops."""
    ours = matches("metric.name", _NAMED)
    return {
        UNASKED: {"error_mode": "silent", "metric_conditions": [f"{resource(SOURCE)} == nil"]},
        CUMULATIVE: {
            "error_mode": "silent",
            "metric_conditions": [f"{ours} and metric.aggregation_temporality == AGGREGATION_TEMPORALITY_CUMULATIVE"],
        },
    }


def forget() -> dict[str, Any]:
    """Takes what series count by from spans of pods whose calls are counted from metrics. Their cost stays on them."""
    counted = r"^llmobs[.](provider|tool|retrieval|score[.].*|check|run|agent|kind)$"
    return transform(group("span", [drop("span.attributes", counted)], conditions=[f"{resource(SOURCE)} != nil"]))


def note(table: PriceTable) -> dict[str, Any]:
    """The processor; behind the one that says which policy applies."""
    told = f"{matches('metric.name', _NAMED)} and {_HISTOGRAM} and metric.aggregation_temporality == AGGREGATION_TEMPORALITY_DELTA"
    sane = f"datapoint.count >= 1 and datapoint.count <= {MOST_CALLS:.0f}"
    call = f"{told} and {sane} and {matches(datapoint(names.OPERATION), price.LEAVES)}"
    named = f"{datapoint(price.MODEL)} != nil"
    duration, usage, first = (f"{named} and {told_by(name)}" for name in (DURATION, USAGE, FIRST_CHUNK))
    return transform(
        group("datapoint", _provider(), conditions=[told]),
        group("datapoint", [_unknown(), *map(of_points, rows.listed(table))], conditions=[call]),
        group("datapoint", map(of_points, rows.derived(table)), conditions=[f"{named} and {of_points(rows.MISSING)}"]),
        group("datapoint", _model(table), conditions=[named]),
        group("datapoint", _call(), conditions=[duration]),
        group("datapoint", _usage(table), conditions=[usage]),
        *(_of_points(item) for item in price.discount(table.discounts)),
        group("datapoint", _sizes(), conditions=[duration, f"{datapoint(TOKENS)} != nil", first]),
        signal="metric",
    )


def _of_points(item: Mapping[str, Any]) -> dict[str, object]:
    return group("datapoint", map(of_points, item["statements"]), conditions=map(of_points, item["conditions"]))


def _cache(key: str) -> str:
    return at("datapoint.cache", key)


def _provider() -> Iterator[str]:
    name = datapoint(names.PROVIDER)
    for old in {item.old: None for found in names.generations() for item in found.renames if item.new == names.PROVIDER and not item.when}:
        yield assign(name, datapoint(old), f"{name} == nil", f"{datapoint(old)} != nil")
    yield assign(name, f"ToLowerCase(String({name}))", f"{name} != nil")
    yield assign(name, lookup(SYNONYMS, name), f"{name} != nil")


def _unknown() -> str:
    return upsert("datapoint.attributes", {price.MODEL: OTHER, price.label("provider"): "unknown"})


def _model(table: PriceTable) -> Iterator[str]:
    """The canonical name, the place of its figures, and who sells it."""
    figures, found = figures_of(table), datapoint(rows.ROW)
    if table.rows:
        yield assign(datapoint(price.MODEL), lookup([row.model for row in distinct(table)], found), f"{found} != nil")
        yield assign(_PLACE, lookup(figures.places, found), f"{found} != nil")
    yield of_points(price.provider())


def _call() -> Iterator[str]:
    """Labels of calls. Failed calls have no tokens, as on spans."""
    outcome, type_, word = (datapoint(price.label(name)) for name in ("outcome", "error_type", "priced"))
    said = datapoint("error.type")
    yield assign(outcome, '"ok"')
    yield assign(type_, '""')
    yield assign(word, '"unpriced"')
    yield assign(word, literal(ESTIMATED), f"{_PLACE} != nil")
    yield assign(outcome, '"error"', f"{said} != nil")
    yield assign(word, '"no_usage"', f"{said} != nil")
    yield assign(type_, '"_OTHER"', f"{said} != nil")
    yield assign(type_, f"String({said})", f"{said} != nil", price.error_type(said))


def _usage(table: PriceTable) -> Iterator[str]:
    """Tokens of one kind, and what they cost."""
    figures, kind, tokens = figures_of(table), datapoint(KIND), datapoint(TOKENS)
    yield assign(kind, lookup(_KINDS, datapoint("gen_ai.token.type")))
    sane = ("datapoint.sum >= 0.0", f"datapoint.sum <= {literal(price.MOST)} * Double(datapoint.count)")
    yield assign(tokens, "datapoint.sum", f"{kind} != nil", *sane)
    if not figures.places:
        return
    known = (f"{tokens} != nil", f"{_PLACE} != nil")
    for name, rate in (("input", "i"), ("output", "o")):
        paid = f"{tokens} * {lookup(figures.rates(rate), _PLACE)} / 1000000.0"
        yield assign(datapoint(price.COST), paid, *known, f'{kind} == "{name}"')
    if table.discounts:
        yield assign(datapoint(price.AGREED), "true", *known, f"{lookup(figures.agreed(), _PLACE)} == 1")


def _sizes() -> Iterable[str]:
    """The buckets of both, as long as they are explicit: those of an exponential histogram can't be told apart here."""
    most, seconds = _cache("most"), f'(metric.name == "{USAGE}" or metric.unit == "s")'
    return (
        assign(most, literal(LONGEST)),
        assign(most, literal(price.MOST), f'metric.name == "{USAGE}"'),
        *buckets.observations(most, "metric.type == METRIC_DATA_TYPE_HISTOGRAM", seconds, "datapoint.sum >= 0.0"),
    )
