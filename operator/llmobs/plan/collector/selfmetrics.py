"""The collector's own metrics: those of its normal level, and besides how many requests it answered, by answer.

A request that is larger than the bound is refused before anything else of the collector sees it, so no other figure tells of it.
"""

from __future__ import annotations

from typing import Any

from llmobs.api import names
from llmobs.plan.collector.ottl import Expanded

_HTTP = "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
_GRPC = "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
_EXPORTER = "go.opentelemetry.io/collector/exporter/exporterhelper"
_GRAPH = "go.opentelemetry.io/collector/service"

_ANSWERS = {
    "http.server.request.duration": ["http.route", "http.response.status_code"],
    "rpc.server.call.duration": ["rpc.response.status_code"],
}
"""Instrument -> what is kept of its attributes: never a host or a method, which a client chooses."""

_DROPPED = (
    (_HTTP, ""),
    (_GRPC, ""),
    ("go.opentelemetry.io/collector/processor/processorhelper", "otelcol_processor_internal_duration"),
    (_EXPORTER, "otelcol_exporter_queue_batch_send_size_bytes"),
    (_EXPORTER, "otelcol_exporter_queue_batch_send_size"),
    ("go.opentelemetry.io/collector/processor/batchprocessor", "otelcol_processor_batch_batch_send_size_bytes"),
    (_GRAPH, "otelcol.*.consumed.size"),
    (_GRAPH, "otelcol.*.produced.size"),
)
"""Meter and instrument, empty for all of the meter's: what the collector's normal level leaves out, of the components in use."""


def selfmetrics(host: Expanded) -> dict[str, Any]:
    """What the collector tells of itself, where Prometheus reads it."""
    # the names that the collector uses when nothing is configured, which alerts and public dashboards go by
    plain = {"without_type_suffix": True, "without_units": True, "without_scope_info": True}
    reader = {"pull": {"exporter": {"prometheus": {"host": host, "port": names.SELF_METRICS_PORT, **plain}}}}
    # only the detailed level takes views
    return {"level": "detailed", "readers": [reader], "views": [*_answers(), *_normal()]}


def _answers() -> list[dict[str, Any]]:
    counted = {"explicit_bucket_histogram": {"boundaries": [], "record_min_max": False}}
    return [
        {"selector": {"instrument_name": name}, "stream": {"aggregation": counted, "attribute_keys": {"included": kept}}}
        for name, kept in _ANSWERS.items()
    ]


def _normal() -> list[dict[str, Any]]:
    """What the collector itself would do at its normal level, where no view can be given."""
    dropped = [
        {"selector": {"meter_name": meter, **({"instrument_name": name} if name else {})}, "stream": {"aggregation": {"drop": {}}}}
        for meter, name in _DROPPED
    ]
    failed = {
        "selector": {"meter_name": _EXPORTER, "instrument_name": "otelcol_exporter_send_failed_*"},
        "stream": {"attribute_keys": {"excluded": ["error.type", "error.permanent"]}},
    }
    return [*dropped, failed]
