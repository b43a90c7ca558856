"""The derived series: how what is counted reaches Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmobs.catalogue import metrics
from llmobs.plan.collector import components as c
from llmobs.plan.collector import identity, price
from llmobs.plan.collector.counted import Series, agents, calls, observed, points
from llmobs.plan.collector.ottl import assign, datapoint, group, literal, transform
from llmobs.plan.collector.rooms import REST, routing, share
from llmobs.plan.inputs import Inputs
from llmobs.plan.measures import LIMITS, MEASURES

STALE, EXPIRED = "24h", "24h10m"
"""A series ends after a day without a call. The exporter forgets it later than the processor that adds it up: the other way round it
would come back at its old total, and the money be counted twice."""

MOST_SERIES = 100_000
"""Series of one sort that are added up where nothing parts them, and the most that a room holds."""

ALL_SERIES = 200_000
"""Series of one sort that all rooms share."""


OBSERVED = f"{c.SIGNAL_TO_METRICS}/observed"
"""Counts what is no call: tools, runs and so on."""


@dataclass(frozen=True)
class Sort:
    """Series that are added up together, apart from the others: whoever invents names of agents without end crowds out no money."""

    connector: str
    pipeline: str
    series: tuple[Series, ...]
    least: int = 0
    """Series for which a room has space however many rooms there are; 0 where all namespaces share one."""

    @property
    def name(self) -> str:
        """How the sort is called in the configuration."""
        return self.pipeline.partition("/")[2]

    @property
    def door(self) -> str:
        """The connector to the rooms."""
        return f"{c.ROUTING}/{self.name}"

    @property
    def labels(self) -> str:
        """The processor that gives its data points their labels."""
        return f"{c.TRANSFORM}/labels.{self.name}"

    def total(self, found: Rooms) -> str:
        """The processor that adds up."""
        return f"{c.DELTA_TO_CUMULATIVE}/{self.name}" if self.least and found else c.DELTA_TO_CUMULATIVE


Rooms = Sequence[str]

Bounds = Mapping[str, tuple[float, ...]]
"""Histogram -> its bucket bounds, lowest first."""


def bounds(inputs: Inputs) -> Bounds:
    """The bounds, with those by which objectives and limits of runs of the policies served are judged."""
    wanted = {item.histogram: inputs.bounds.used(item, inputs.policies) for item in (*MEASURES, *LIMITS)}
    return {name: tuple(sorted({*own, *wanted.get(name, ())})) for name, own in metrics.BOUNDS.items()}


def sorts(found: Bounds) -> tuple[Sort, ...]:
    """Every derived series."""
    return (
        Sort(c.SIGNAL_TO_METRICS, "metrics/derived", calls(found), least=20_000),
        Sort(f"{c.SIGNAL_TO_METRICS}/agents", "metrics/agents", agents(), least=6_000),
        Sort(OBSERVED, "metrics/observed", observed(found)),
    )


def connectors(found: Bounds, *, metered: bool = False) -> dict[str, Any]:
    """The connectors that count. One bad span must not take its batch along. ``metered``: calls are counted from data points, too."""
    made = {sort.connector: {"error_mode": "silent", "spans": [_definition(item) for item in sort.series]} for sort in sorts(found)}
    if metered:
        made[c.SIGNAL_TO_METRICS]["datapoints"] = [_definition(item) for item in points(found)]
    return made


def doors(found: Bounds, rooms: Rooms) -> dict[str, Any]:
    """The connectors behind them, to the rooms."""
    parted = [sort for sort in sorts(found) if sort.least and rooms]
    return {sort.door: routing(rooms, identity.WHO, identity.BETWEEN, sort.pipeline) for sort in parted}


def processors(found: Bounds, rooms: Rooms) -> dict[str, Any]:
    """The processors behind the connectors."""
    totals = {sort.total(rooms): _total(sort, rooms) for sort in sorts(found)}
    return {**{sort.labels: _labels(sort) for sort in sorts(found)}, **totals}


def pipelines(found: Bounds, rooms: Rooms) -> dict[str, Any]:
    """The pipelines behind the connectors, each with its own instance of what adds up."""
    return {name: steps for sort in sorts(found) for name, steps in _pipelines(sort, rooms).items()}


def _pipelines(sort: Sort, rooms: Rooms) -> dict[str, Any]:
    out = {"processors": [sort.labels, sort.total(rooms)], "exporters": [c.PROMETHEUS]}
    if not (sort.least and rooms):
        return {sort.pipeline: {"receivers": [sort.connector], **out}}
    to = {f"{sort.pipeline}.{room}": {"receivers": [sort.door], **out} for room in (*rooms, REST)}
    return {sort.pipeline: {"receivers": [sort.connector], "exporters": [sort.door]}, **to}


def _definition(item: Series) -> dict[str, Any]:
    """A label without a default is the cheapest condition: the connector looks at nothing else of a span that lacks it.

    They are asked in this order, so what few spans have comes first.
    """
    mark = [{"key": item.mark}] if item.mark else []
    found: dict[str, Any] = {
        "name": item.name.removesuffix("_total").removesuffix("_seconds"),
        "description": item.help,
        "unit": item.unit,
        **({"conditions": [" and ".join(item.when)]} if item.when else {}),
        "attributes": [
            *mark,
            *({"key": item.attribute(name)} for name in sorted(item.labels, key=_common)),
            *({"key": price.label(name), "default_value": value} for name, value in item.fixed),
        ],
        "include_resource_attributes": identity.kept(),
    }
    if item.bounds:
        counted = {"count": item.count} if item.count else {}
        return {**found, "histogram": {"buckets": list(item.bounds), **counted, "value": item.value}}
    return {**found, "sum": {"value": item.value, "monotonic": True}}


def _common(label: str) -> bool:
    """Whether spans of most sorts have this label."""
    return label in ("agent", "outcome")


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


def _total(sort: Sort, rooms: Rooms) -> dict[str, Any]:
    """The processor that adds up what the connector counts batch by batch."""
    most = share(rooms, all_=ALL_SERIES, most=MOST_SERIES, least=sort.least) if sort.least and rooms else MOST_SERIES
    return {"max_stale": STALE, "max_streams": most}


def prometheus(endpoint: str) -> dict[str, Any]:
    """The exporter that Prometheus reads."""
    return {
        "endpoint": endpoint,
        "without_scope_info": True,
        "metric_expiration": EXPIRED,
        "translation_strategy": "UnderscoreEscapingWithSuffixes",
    }
