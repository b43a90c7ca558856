"""The derived series: how what is counted reaches Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmobs.catalogue import metrics
from llmobs.plan.collector import components as c
from llmobs.plan.collector import identity, price
from llmobs.plan.collector.counted import Series, agents, calls, observed, points
from llmobs.plan.collector.ottl import assign, datapoint, group, literal, transform
from llmobs.plan.inputs import Inputs
from llmobs.plan.measures import LIMITS, MEASURES

STALE, EXPIRED = "24h", "24h10m"
"""A series ends after a day without a call. The exporter forgets it later than the processor that adds it up: the other way round it
would come back at its old total, and the money be counted twice."""

MOST_SERIES = 100_000


@dataclass(frozen=True)
class Sort:
    """Series that are added up together, apart from the others: whoever invents names of agents without end crowds out no money."""

    connector: str
    pipeline: str
    series: tuple[Series, ...]

    @property
    def labels(self) -> str:
        """The processor that gives its data points their labels."""
        return f"{c.TRANSFORM}/labels.{self.pipeline.partition('/')[2]}"


Bounds = Mapping[str, tuple[float, ...]]
"""Histogram -> its bucket bounds, lowest first."""


def bounds(inputs: Inputs) -> Bounds:
    """The bounds, with those by which objectives and limits of runs of the policies served are judged."""
    wanted = {item.histogram: inputs.bounds.used(item, inputs.policies) for item in (*MEASURES, *LIMITS)}
    return {name: tuple(sorted({*own, *wanted.get(name, ())})) for name, own in metrics.BOUNDS.items()}


def sorts(found: Bounds) -> tuple[Sort, ...]:
    """Every derived series."""
    return (
        Sort(c.SIGNAL_TO_METRICS, "metrics/derived", calls(found)),
        Sort(f"{c.SIGNAL_TO_METRICS}/agents", "metrics/agents", agents()),
        Sort(f"{c.SIGNAL_TO_METRICS}/observed", "metrics/observed", observed(found)),
    )


def connectors(found: Bounds, *, metered: bool = False) -> dict[str, Any]:
    """The connectors. One bad span must not take its batch along. ``metered``: calls are counted from data points, too."""
    made = {sort.connector: {"error_mode": "silent", "spans": [_definition(item) for item in sort.series]} for sort in sorts(found)}
    if metered:
        made[c.SIGNAL_TO_METRICS]["datapoints"] = [_definition(item) for item in points(found)]
    return made


def processors(found: Bounds) -> dict[str, Any]:
    """The processors behind the connectors."""
    return {**{sort.labels: _labels(sort) for sort in sorts(found)}, c.DELTA_TO_CUMULATIVE: delta_to_cumulative()}


def pipelines(found: Bounds) -> dict[str, Any]:
    """The pipelines behind the connectors, each with its own instance of what adds up."""
    return {
        sort.pipeline: {"receivers": [sort.connector], "processors": [sort.labels, c.DELTA_TO_CUMULATIVE], "exporters": [c.PROMETHEUS]}
        for sort in sorts(found)
    }


def _definition(item: Series) -> dict[str, Any]:
    """A label without a default is the cheapest condition: the connector looks at nothing else of a span that lacks it."""
    keys = [*(item.attribute(name) for name in item.labels), *([item.mark] if item.mark else [])]
    found: dict[str, Any] = {
        "name": item.name.removesuffix("_total").removesuffix("_seconds"),
        "description": item.help,
        "unit": item.unit,
        **({"conditions": [" and ".join(item.when)]} if item.when else {}),
        "attributes": [
            *({"key": key} for key in keys),
            *({"key": price.label(name), "default_value": value} for name, value in item.fixed),
        ],
        "include_resource_attributes": identity.kept(),
    }
    if item.bounds:
        counted = {"count": item.count} if item.count else {}
        return {**found, "histogram": {"buckets": list(item.bounds), **counted, "value": item.value}}
    return {**found, "sum": {"value": item.value, "monotonic": True}}


def _labels(sort: Sort) -> dict[str, Any]:
    """Gives data points their final labels and takes the resource away, of which Prometheus would make more."""
    every = {(name, item.attribute(name)) for item in sort.series for name in (*item.labels, *(name for name, _ in item.fixed))}
    final = ", ".join(literal(name) for name in sorted({*(name for name, _ in every), *metrics.IDENTITY}))
    return transform(
        group("resource", identity.parted()),
        group(
            "datapoint",
            [
                *(assign(datapoint(name), datapoint(kept)) for name, kept in sorted(every)),
                'merge_maps(datapoint.attributes, resource.attributes, "upsert")',
                f"keep_keys(datapoint.attributes, [{final}])",
            ],
        ),
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
