"""Where a namespace's telemetry is processed."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.catalogue.endpoint import SECURE, url
from llmobs.kit.schema import Rule, prop, ruled

NATIVE_SIDECARS = (1, 29)
"""The first Kubernetes that runs an init container beside the others by default; before, it drops the field that says so."""


class CollectorMode(enum.Enum):
    """Where the namespace's telemetry is processed."""

    SHARED = "Shared"
    DEDICATED = "Dedicated"
    SIDECAR = "Sidecar"
    EXTERNAL = "External"


class Source(enum.Enum):
    """What the namespace's calls are counted from."""

    TRACES = "Traces"
    METRICS = "Metrics"


@ruled(
    Rule(
        cel="!has(self.mode) || self.mode != 'External' || has(self.endpoint)",
        message="External needs an endpoint, the base URL of the receiver that pods send to",
        holds=lambda c: c.mode is not CollectorMode.EXTERNAL or c.endpoint is not None,
        path="endpoint",
    ),
    Rule(
        cel="!has(self.endpoint) || (has(self.mode) && self.mode == 'External')",
        message="an endpoint is for mode External; leave it out, or set the mode",
        holds=lambda c: c.endpoint is None or c.mode is CollectorMode.EXTERNAL,
        path="endpoint",
    ),
    Rule(
        cel="!has(self.source) || self.source != 'Metrics' || !has(self.mode) || self.mode in ['Shared', 'Dedicated']",
        message="metrics are counted by a gateway that pods send to: with source Metrics the mode is Shared or Dedicated",
        holds=lambda c: c.source is not Source.METRICS or c.mode in (CollectorMode.SHARED, CollectorMode.DEDICATED),
        path="source",
    ),
    SECURE,
)
@dataclass(frozen=True, kw_only=True)
class Collector:
    """Where telemetry is processed. A namespace that sets any of this replaces the fleet's default as a whole."""

    mode: CollectorMode = prop(CollectorMode.SHARED)
    """Shared: the platform's gateway. Dedicated: one of its own in this namespace, with rights and Secrets of this namespace only, where
    the platform offers it. Sidecar: a small collector in every pod does what content asks before anything leaves the pod, and passes the
    rest on to the platform's gateway. External: pods are instrumented and send to a receiver of yours; nothing is priced, masked or
    counted, so there is no spend, no budget and no alert, and content.capture is all that limits what leaves the pod. Default Shared."""
    source: Source = prop(Source.TRACES)
    """What calls, tokens and money are counted from, for applications that can send only metrics. Metrics: from the histograms
    gen_ai.client.operation.duration and gen_ai.client.token.usage, with delta temporality; spans of these pods go to the backends and
    count in no series. The money is an estimate, because metrics tell neither cached tokens nor tiers. Default Traces: from spans, and
    metrics are not taken."""
    endpoint: str | None = url(None)
    """With External: base URL of a receiver of OTLP over HTTP (JSON for Python, protobuf for the language sdk), without /v1/traces.
    Pods send without a credential."""
    insecure: bool = prop(False)
    """With External: allow http:// to a host outside the cluster. Default false."""

    @property
    def external(self) -> bool:
        """Whether telemetry goes where we cannot see it."""
        return self.mode is CollectorMode.EXTERNAL

    @property
    def metered(self) -> bool:
        """Whether calls are counted from metrics."""
        return self.source is Source.METRICS
