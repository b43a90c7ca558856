"""OpenTelemetry's variables for where an application's own SDK sends, as JSON by name."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from llmobs.api import names
from llmobs.inject.otel import ENDPOINT, METRICS_ENDPOINT, METRICS_PROTOCOL, PROTOCOL, TEMPORALITY
from llmobs.inject.patch import fragment

HTTP = "http/protobuf"


def spans(endpoint: str) -> dict[str, msgspec.Raw]:
    """For spans, below this base URL.

    The pair: an SDK's own default for the protocol differs between languages, and the endpoint's port is for one of them. For traces
    alone: where metrics go is ours to say only for who asks for it, and where logs go never.
    """
    return _fragments({ENDPOINT: names.traces(endpoint), PROTOCOL: HTTP})


def metrics(endpoint: str) -> dict[str, msgspec.Raw]:
    """For metrics, with delta temporality: the gateway drops totals, which most SDKs send unless they are told."""
    return _fragments({METRICS_ENDPOINT: names.metrics(endpoint), METRICS_PROTOCOL: HTTP, TEMPORALITY: "delta"})


def _fragments(values: Mapping[str, str]) -> dict[str, msgspec.Raw]:
    return {name: fragment({"name": name, "value": value}) for name, value in values.items()}
