"""Names of the collector's components, as release 0.158 has them: another release's names are another version of this page."""

from __future__ import annotations

OTLP = "otlp"
MEMORY_LIMITER = "memory_limiter"
K8S_ATTRIBUTES = "k8s_attributes"
TRANSFORM = "transform"
FILTER = "filter"
BATCH = "batch"
DELTA_TO_CUMULATIVE = "delta_to_cumulative"
SIGNAL_TO_METRICS = "signal_to_metrics"
TAIL_SAMPLING = "tail_sampling"
ROUTING = "routing"
FORWARD = "forward"
PROMETHEUS = "prometheus"
FILE_STORAGE = "file_storage"
HEALTH_CHECK = "health_check"

BINARY = "/otelcol-contrib"
"""The collector in the official image and in ours."""
