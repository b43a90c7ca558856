"""OpenTelemetry's own variables, for applications that bring their SDK: added or extended, never put in the place of others.

Names and rules: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ and .../configuration/sdk-environment-variables/
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

from llmobs.inject.pod import Container

ENDPOINT = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
"""The whole URL: to the variable for traces an SDK appends no path."""
PROTOCOL = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
METRICS_ENDPOINT = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
METRICS_PROTOCOL = "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"
TEMPORALITY = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
ATTRIBUTES = "OTEL_RESOURCE_ATTRIBUTES"

_ANYTHING = frozenset({"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"})
_DESTINATION = _ANYTHING | {ENDPOINT, PROTOCOL}
_METRICS = _ANYTHING | {METRICS_ENDPOINT, METRICS_PROTOCOL}


def destination_set(known: Iterable[str]) -> bool:
    """Whether variables of these names say where or how spans are sent: then neither of the pair is added."""
    return not _DESTINATION.isdisjoint(known)


def metrics_set(known: Iterable[str]) -> bool:
    """The same for metrics. How they are counted goes with where: by totals somebody else may want them."""
    return not _METRICS.isdisjoint(known)


def hidden(container: Container) -> bool:
    """Whether the container may have OpenTelemetry's variables from ``envFrom``, which ours would override unseen."""
    return bool(container.env_from)


def merged(value: str, attributes: str) -> str:
    """``value`` of the user's with those of our attributes that it lacks before it, as of two entries for a key the last one counts.

    So the user wins also with what a reference in ``value`` brings.
    """
    own = {_key(entry) for entry in value.split(",")}
    missing = [entry for entry in attributes.split(",") if _key(entry) not in own]
    return ",".join([*missing, value] if value else missing)


def resolvable(attributes: str, *, later: Iterable[str]) -> str:
    """Our attributes without those that refer to a variable which the pod itself sets only ``later`` in the list."""
    references = [f"$({name})" for name in later]
    return ",".join([entry for entry in attributes.split(",") if not any(reference in entry for reference in references)])


def _key(entry: str) -> str:
    return unquote(entry.partition("=")[0].strip())
