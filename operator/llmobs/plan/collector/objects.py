"""The ports of a gateway by name."""

from __future__ import annotations

from llmobs.api import names

PORTS = {
    "otlp-grpc": names.OTLP_GRPC_PORT,
    "otlp-http": names.OTLP_HTTP_PORT,
    "metrics": names.METRICS_PORT,
    "self-metrics": names.SELF_METRICS_PORT,
    "health": names.HEALTH_PORT,
}
