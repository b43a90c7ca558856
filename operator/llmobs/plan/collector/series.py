"""The derived series: what is counted of each span, under which labels, and how it reaches Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.objectives import Latency
from llmobs.catalogue import metrics
from llmobs.kit.durations import seconds
from llmobs.plan.collector import identity, price
from llmobs.plan.collector.ottl import assign, datapoint, group, literal, resource, span, transform

LONGEST_CALL = 86_400_000_000_000
"""Nanoseconds. A span that claims to have taken longer is not timed."""

STALE, EXPIRED = "24h", "24h10m"
"""A series ends after a day without a call. The exporter forgets it later than the processor that adds it up: the other way round it
would come back at its old total, and the money be counted twice."""

MOST_SERIES = 100_000


@dataclass(frozen=True)
class Series:
    """One metric definition of signal_to_metrics."""

    name: str
    """As Prometheus sees it, with its suffix."""
    labels: tuple[str, ...]
    when: tuple[str, ...]
    value: str
    unit: str
    """In braces: not made part of the name."""
    help: str
    fixed: tuple[tuple[str, str], ...] = ()
    """Labels with one value."""
    bounds: tuple[float, ...] = ()
    """Bucket bounds; makes it a histogram."""


def bounds(policies: Iterable[Policy]) -> tuple[float, ...]:
    """Bucket bounds of durations in seconds, with the threshold of every objective."""
    wanted = [
        seconds(item.indicator.threshold) for policy in policies for item in policy.spec.objectives if isinstance(item.indicator, Latency)
    ]
    return tuple(sorted({*metrics.DURATION_BOUNDS, *wanted}))


def series(policies: Iterable[Policy]) -> tuple[Series, ...]:
    """Every derived series."""
    called = f"{span(price.PRICED)} != nil"
    took = "(span.end_time_unix_nano - span.start_time_unix_nano)"
    timed = ("span.end_time_unix_nano >= span.start_time_unix_nano", f"{took} <= {LONGEST_CALL}")
    return (
        Series(
            metrics.CALLS,
            ("provider", "model", "operation", "outcome", "error_type", "priced"),
            (called,),
            "1",
            "{call}",
            "Calls to models.",
        ),
        Series(
            metrics.COST,
            ("provider", "model", "agent", "workflow"),
            (f"{span(price.COST)} != nil",),
            span(price.COST),
            "{USD}",
            "US dollars, by the price table.",
        ),
        *(_tokens(kind) for kind in metrics.TOKEN_TYPES),
        Series(
            metrics.DURATION,
            ("provider", "model", "operation", "outcome"),
            (called, *timed),
            f"Double{took} / 1000000000.0",
            "s",
            "How long calls took.",
            bounds=bounds(policies),
        ),
    )


def _tokens(kind: str) -> Series:
    value = span(price.tokens(kind))
    return Series(
        metrics.TOKENS,
        ("provider", "model"),
        (f"{value} != nil",),
        value,
        "{token}",
        "Tokens, each counted once.",
        fixed=(("token_type", kind),),
    )


def signal_to_metrics(policies: Iterable[Policy]) -> dict[str, Any]:
    """The connector. One bad span must not take its batch along."""
    return {"error_mode": "silent", "spans": [_definition(item) for item in series(policies)]}


def _definition(item: Series) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": item.name.removesuffix("_total").removesuffix("_seconds"),
        "description": item.help,
        "unit": item.unit,
        "conditions": [" and ".join(item.when)],
        "attributes": [
            *({"key": price.label(name), "default_value": ""} for name in item.labels),
            *({"key": price.label(name), "default_value": value} for name, value in item.fixed),
        ],
        "include_resource_attributes": identity.kept(),
    }
    if item.bounds:
        return {**found, "histogram": {"buckets": list(item.bounds), "value": item.value}}
    return {**found, "sum": {"value": item.value, "monotonic": True}}


def labels(policies: Iterable[Policy]) -> dict[str, Any]:
    """The processor that gives data points their final labels and takes the resource away, of which Prometheus would make more."""
    own = sorted({name for item in series(policies) for name in (*item.labels, *(name for name, _ in item.fixed))})
    renames = [assign(datapoint(name), datapoint(price.label(name))) for name in own]
    copies = [assign(datapoint(name), resource(identity.label(name))) for name in metrics.IDENTITY]
    every = ", ".join(literal(name) for name in sorted([*own, *metrics.IDENTITY]))
    return transform(
        group("datapoint", [*renames, *copies, f"keep_keys(datapoint.attributes, [{every}])"]),
        group("resource", ['delete_matching_keys(resource.attributes, ".*")']),
        signal="metric",
    )


def delta_to_cumulative() -> dict[str, Any]:
    """The processor that adds up what the connector counts batch by batch."""
    return {"max_stale": STALE, "max_streams": MOST_SERIES}


def prometheus(endpoint: str) -> dict[str, Any]:
    """The exporter that Prometheus reads."""
    return {
        "endpoint": endpoint,
        "without_scope_info": True,
        "metric_expiration": EXPIRED,
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
    }
