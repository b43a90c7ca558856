"""One exporter with a queue of its own for each receiver of traces, so that a dead one takes nothing from the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmobs.plan.collector.sinks import Sink

QUEUED = 40_000
"""Spans that all queues hold together; each gets its share."""

MOST, LEAST = 20_000, 2_000


def exporters(sinks: Iterable[Sink]) -> dict[str, Any]:
    """The exporters by their names in the configuration."""
    every = list(sinks)
    size = max(LEAST, min(MOST, QUEUED // max(len(every), 1)))
    return {name(sink): _exporter(sink, size) for sink in every}


def extensions(sinks: Iterable[Sink]) -> dict[str, Any]:
    """The extensions that read credentials from mounted files, by their names in the configuration."""
    found = ((f"{auth.type}/{sink.handle}", auth.settings) for sink in sinks if (auth := sink.exporter.auth))
    return {key: dict(settings) for key, settings in found}


def name(sink: Sink) -> str:
    """The exporter's name in the configuration."""
    return f"{sink.exporter.type}/{sink.handle}"


def _exporter(sink: Sink, size: int) -> dict[str, Any]:
    made = sink.exporter
    auth: Mapping[str, Any] = {"auth": {"authenticator": f"{made.auth.type}/{sink.handle}"}} if made.auth else {}
    return {
        **made.settings,
        **auth,
        "timeout": "10s",
        "sending_queue": {
            "enabled": True,
            "sizer": "items",
            "queue_size": size,
            "num_consumers": 4,
            "batch": {"flush_timeout": "1s", "min_size": 512, "max_size": 2048},
        },
        "retry_on_failure": {"enabled": True, "initial_interval": "1s", "max_interval": "30s", "max_elapsed_time": "300s"},
    }
