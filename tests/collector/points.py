"""Metrics as applications send them: histograms with delta temporality, in OTLP/JSON."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.collector.spans import START, pairs

DURATION, USAGE = "gen_ai.client.operation.duration", "gen_ai.client.token.usage"
SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = tuple(float(4**power) for power in range(14))
"""Bounds of the conventions."""
CUMULATIVE, DELTA = 2, 1


def observed(values: Iterable[float], bounds: Sequence[float] = TOKENS, **more: Any) -> dict[str, Any]:
    """A data point of an explicit histogram; further arguments are fields of the point."""
    found = list(values)
    edges = [float("-inf"), *bounds, float("inf")]
    counts = [sum(low < value <= high for value in found) for low, high in itertools.pairwise(edges)]
    point = {
        "startTimeUnixNano": str(START),
        "timeUnixNano": str(START + 10**9),
        "count": str(len(found)),
        "sum": float(sum(found)),
        "bucketCounts": [str(count) for count in counts],
        "explicitBounds": list(bounds),
    }
    return {**point, **more}


def call(model: str, operation: str = "chat", provider: str = "openai", **more: Any) -> dict[str, Any]:
    """Attributes of the official instrumentations' points; further ones with ``__`` for dots."""
    found = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider, "gen_ai.request.model": model}
    return {**found, **{key.replace("__", "."): value for key, value in more.items()}}


def durations(attributes: Mapping[str, Any], *seconds: float, **more: Any) -> dict[str, Any]:
    """The metric with how long these calls took."""
    return metric(DURATION, [{**observed(seconds, SECONDS), "attributes": pairs(attributes)}], unit="s", **more)


def usage(attributes: Mapping[str, Any], given: Sequence[float], made: Sequence[float], **more: Any) -> dict[str, Any]:
    """The metric with the input and output tokens of calls."""
    kinds = {"input": given, "output": made}
    found = [{**observed(values), "attributes": pairs({**attributes, "gen_ai.token.type": kind})} for kind, values in kinds.items()]
    return metric(USAGE, found, unit="{token}", **more)


def metric(
    name: str, points: Iterable[Mapping[str, Any]], *, unit: str = "1", temporality: int = DELTA, shape: str = "histogram", **more: Any
) -> dict[str, Any]:
    """A metric of any name and kind."""
    return {"name": name, "unit": unit, shape: {"aggregationTemporality": temporality, "dataPoints": list(points), **more}}


def export(resource: Mapping[str, Any], metrics: Iterable[Mapping[str, Any]], **scoped: Any) -> dict[str, Any]:
    """An OTLP/JSON export request; further arguments are attributes of the scope."""
    made = {"scope": {"name": "test", "attributes": pairs(scoped)}, "metrics": list(metrics)}
    return {"resourceMetrics": [{"resource": {"attributes": pairs(resource)}, "scopeMetrics": [made]}]}
