"""Names of the collector's components: those of today's releases, and which of them an older release calls otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OTLP = "otlp"
MEMORY_LIMITER = "memory_limiter"
K8S_ATTRIBUTES = "k8s_attributes"
TRANSFORM = "transform"
FILTER = "filter"
REDACTION = "redaction"
BATCH = "batch"
DELTA_TO_CUMULATIVE = "delta_to_cumulative"
SIGNAL_TO_METRICS = "signal_to_metrics"
TAIL_SAMPLING = "tail_sampling"
ROUTING = "routing"
FORWARD = "forward"
PROMETHEUS = "prometheus"
FILE_STORAGE = "file_storage"
HEALTH_CHECK = "health_check"

Release = tuple[int, int]

_RENAMED: Mapping[Release, Mapping[str, str]] = {
    (0, 156): {SIGNAL_TO_METRICS: "signaltometrics"},
    (0, 158): {DELTA_TO_CUMULATIVE: "deltatocumulative"},
}
"""By the first release that knows it, the new name of a component and its old one. Releases go on to understand an old name."""

_SECTIONS = ("extensions", "receivers", "processors", "connectors", "exporters")


def older(release: Release) -> dict[str, str]:
    """Today's name -> the one that a release knows, where these differ."""
    return {new: old for first, names in _RENAMED.items() if release < first for new, old in names.items()}


def spoken(config: Mapping[str, Any], release: Release) -> dict[str, Any]:
    """The configuration in the names that a release knows."""
    names = older(release)

    def known(component: str) -> str:
        kind, slash, name = component.partition("/")
        return f"{names.get(kind, kind)}{slash}{name}"

    def pipeline(steps: Mapping[str, Any]) -> dict[str, Any]:
        return {part: [known(item) for item in items] for part, items in steps.items()}

    service = config["service"]
    sections = {part: {known(item): settings for item, settings in config[part].items()} for part in _SECTIONS}
    pipelines = {name: pipeline(steps) for name, steps in service["pipelines"].items()}
    return {**config, **sections, "service": {**service, "pipelines": pipelines}}
