"""One exporter with a queue of its own for each receiver of traces, so that a dead one takes nothing from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmobs.plan.collector import components as c
from llmobs.plan.collector.sinks import Sink
from llmobs.plan.collector.sizes import mebibytes

QUEUED = 40_000
"""Spans that all queues hold together; each gets its share."""

MOST, LEAST = 20_000, 2_000

STORAGE = f"{c.FILE_STORAGE}/queue"
FOLDER = "/var/lib/llmobs/queue"
"""Where queues lie that survive the collector's process."""

FILLED = 0.5
"""Part of the volume that queues may fill: their files are larger than what they hold, and are copied to be made smaller."""


def exporters(sinks: Sequence[Sink], disk: str) -> dict[str, Any]:
    """The exporters by their names in the configuration; ``disk`` is the size of the volume for their queues, empty for none."""
    queue = _on_disk(disk, len(sinks)) if disk else _in_memory(len(sinks))
    return {name(sink): _exporter(sink, queue) for sink in sinks}


def extensions(sinks: Sequence[Sink], disk: str) -> dict[str, Any]:
    """The extensions that read credentials from mounted files and keep queues, by their names in the configuration."""
    found = ((f"{auth.type}/{sink.handle}", auth.settings) for sink in sinks if (auth := sink.exporter.auth))
    storage = {"directory": FOLDER, "create_directory": True, "compaction": {"on_start": True, "on_rebound": True, "directory": FOLDER}}
    return {**{key: dict(settings) for key, settings in found}, **({STORAGE: storage} if sinks and disk else {})}


def name(sink: Sink) -> str:
    """The exporter's name in the configuration."""
    return f"{sink.exporter.type}/{sink.handle}"


def _in_memory(count: int) -> dict[str, Any]:
    return {"sizer": "items", "queue_size": max(LEAST, min(MOST, QUEUED // max(count, 1)))}


def _on_disk(size: str, count: int) -> dict[str, Any]:
    # in bytes: a volume that is too full evicts the pod, and a span may hold a long prompt
    return {"sizer": "bytes", "queue_size": int(mebibytes(size) * 2**20 * FILLED) // max(count, 1), "storage": STORAGE}


def _exporter(sink: Sink, queue: Mapping[str, Any]) -> dict[str, Any]:
    made = sink.exporter
    auth: Mapping[str, Any] = {"auth": {"authenticator": f"{made.auth.type}/{sink.handle}"}} if made.auth else {}
    return {
        **made.settings,
        **auth,
        "timeout": "10s",
        "sending_queue": {
            "enabled": True,
            **queue,
            "num_consumers": 4,
            "batch": {"flush_timeout": "1s", **_sizes(made.largest)},
        },
        "retry_on_failure": {"enabled": True, "initial_interval": "1s", "max_interval": "30s", "max_elapsed_time": "300s"},
    }


def _sizes(largest: int) -> dict[str, Any]:
    """The batch in spans or, for a receiver that bounds its requests, in bytes; a tenth is left for what stands around the spans."""
    if not largest:
        return {"sizer": "items", "min_size": 512, "max_size": 2048}
    return {"sizer": "bytes", "min_size": largest // 4, "max_size": largest * 9 // 10}
