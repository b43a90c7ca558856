"""From what a span's resource says to the receivers its policy names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmobs.plan.collector import components as c
from llmobs.plan.collector import exporters
from llmobs.plan.collector.ottl import drop, group, literal, resource, transform
from llmobs.plan.collector.policies import ROUTE
from llmobs.plan.collector.sinks import Sink

OUT = f"{c.FORWARD}/out"
UNROUTED = f"{c.FILTER}/unrouted"
TIDY = f"{c.TRANSFORM}/tidy"


def routing(routes: Mapping[str, tuple[Sink, ...]]) -> dict[str, Any]:
    """The connector: one row for each set of receivers."""
    rows = [{"context": "resource", "condition": f"{resource(ROUTE)} == {literal(name)}", "pipelines": [pipeline(name)]} for name in routes]
    return {"error_mode": "silent", "table": rows}


def pipeline(route: str) -> str:
    """The name of the pipeline of one set of receivers."""
    return f"traces/to.{route}"


def processors() -> dict[str, Any]:
    """What stands between the shared part and the receivers.

    Spans that nobody wants are dropped by a filter, because a filter counts what it drops. Our own notes end here.
    """
    return {
        UNROUTED: {"error_mode": "silent", "trace_conditions": [f"{resource(ROUTE)} == nil"]},
        TIDY: transform(
            group("resource", [drop("resource.attributes", r"^llmobs\.")]),
            group("span", [drop("span.attributes", r"^llmobs\.")]),
        ),
    }


def pipelines(routes: Mapping[str, tuple[Sink, ...]]) -> dict[str, Any]:
    """The pipeline to the connector and those behind it."""
    to = {
        pipeline(name): {"receivers": [c.ROUTING], "processors": [TIDY], "exporters": [exporters.name(sink) for sink in sinks]}
        for name, sinks in routes.items()
    }
    return {"traces/out": {"receivers": [OUT], "processors": [UNROUTED], "exporters": [c.ROUTING]}, **to}
