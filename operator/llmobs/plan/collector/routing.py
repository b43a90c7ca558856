"""From what a span's resource says to the receivers its policy names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmobs.plan.collector import components as c
from llmobs.plan.collector import exporters, sampler
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


def processors(routes: Mapping[str, tuple[Sink, ...]], *, sampled: bool) -> dict[str, Any]:
    """What stands between the shared part and the receivers.

    Spans that nobody wants are dropped by a filter, because a filter counts what it drops. Our own notes end here.
    """
    return {
        **(sampler.processors() if sampled else {}),
        UNROUTED: {"error_mode": "silent", "trace_conditions": [f"{resource(ROUTE)} == nil"]},
        TIDY: transform(
            group("resource", [drop("resource.attributes", r"^llmobs\.")]),
            group("span", [drop("span.attributes", r"^llmobs\.")]),
        ),
        **{
            _marker(sink): transform(
                group("resource", [f"set({resource(key)}, {literal(value)})" for key, value in sorted(sink.exporter.resource.items())])
            )
            for sink in _marked(routes)
        },
    }


def pipelines(routes: Mapping[str, tuple[Sink, ...]], *, sampled: bool) -> dict[str, Any]:
    """The pipeline to the connector and those behind it."""
    to = {
        pipeline(name): {"receivers": [c.ROUTING], "processors": [TIDY], "exporters": [_door(sink) for sink in sinks]}
        for name, sinks in routes.items()
    }
    marked = {
        f"traces/mark.{sink.handle}": {"receivers": [_mark(sink)], "processors": [_marker(sink)], "exporters": [exporters.name(sink)]}
        for sink in _marked(routes)
    }
    straight = {"traces/out": {"receivers": [OUT], "processors": [UNROUTED], "exporters": [c.ROUTING]}}
    return {**(sampler.pipelines(OUT, [UNROUTED], c.ROUTING) if sampled else straight), **to, **marked}


def connectors(routes: Mapping[str, tuple[Sink, ...]], *, sampled: bool) -> dict[str, Any]:
    """The connectors behind the shared part."""
    return {
        OUT: {},
        c.ROUTING: routing(routes),
        **(sampler.connectors() if sampled else {}),
        **{_mark(sink): {} for sink in _marked(routes)},
    }


def _marked(routes: Mapping[str, tuple[Sink, ...]]) -> list[Sink]:
    """Receivers that need resource attributes of their own: each has a pipeline of its own, so that no other receiver sees them."""
    every = {sink.handle: sink for sinks in routes.values() for sink in sinks if sink.exporter.resource}
    return [every[handle] for handle in sorted(every)]


def _door(sink: Sink) -> str:
    return _mark(sink) if sink.exporter.resource else exporters.name(sink)


def _mark(sink: Sink) -> str:
    return f"{c.FORWARD}/mark.{sink.handle}"


def _marker(sink: Sink) -> str:
    return f"{c.TRANSFORM}/mark.{sink.handle}"
