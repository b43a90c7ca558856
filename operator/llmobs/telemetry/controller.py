"""The controller's own metrics."""

from __future__ import annotations

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

STATES = ("injected", "missed", "skipped")
"""Values of the label state: missed is the part of skipped that a restart would instrument."""

_BOUNDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """One set per process; ``registry`` is what a scrape reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.duration = Histogram(
            "llmobs_reconcile_duration_seconds", "How long one reconciliation took.", ["kind"], buckets=_BOUNDS, registry=self.registry
        )
        self.errors = Counter(
            "llmobs_reconcile_errors", "Reconciliations that failed and are tried again.", ["kind", "cause"], registry=self.registry
        )
        self.writes = Counter("llmobs_writes", "Objects written or deleted in the cluster.", ["kind", "action"], registry=self.registry)
        self.queue = Gauge("llmobs_queue_length", "Reconciliations waiting.", registry=self.registry)
        self.oldest = Gauge("llmobs_queue_oldest_seconds", "How long the oldest due reconciliation has waited.", registry=self.registry)
        self.watch = Gauge(
            "llmobs_watch_last_event_timestamp_seconds", "When a watch last told anything.", ["kind"], registry=self.registry
        )
        self.resync = Gauge("llmobs_resync_timestamp_seconds", "When everything was last read anew.", registry=self.registry)
        self.policies = Gauge("llmobs_policies", "LLMObservability resources by verdict.", ["state"], registry=self.registry)
        self.pods = Gauge(
            "llmobs_policy_pods",
            "Pods that policies match, by state: injected, missed, skipped.",
            ["namespace", "policy", "state"],
            registry=self.registry,
        )
        self.prometheus = Gauge("llmobs_prometheus_up", "Whether spend could be read from Prometheus last time.", registry=self.registry)
        self.certificate = Gauge(
            "llmobs_certificate_expiry_timestamp_seconds", "When the webhook's serving certificate ends.", registry=self.registry
        )

    def forget(self, *, namespace: str, policy: str) -> None:
        """Drop what is said about a policy that is gone."""
        for state in STATES:
            with suppress(KeyError):
                self.pods.remove(namespace, policy, state)
