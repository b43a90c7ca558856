"""The controller's own metrics."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from llmobs.catalogue import metrics

_POLICY = ("k8s_namespace", "policy")
"""Never the label ``namespace``: a scrape renames that one to ``exported_namespace`` and puts the controller's own in its place."""

_BOUNDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """One set per process; ``registry`` is what a scrape reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._known: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}
        ProcessCollector(registry=self.registry)
        self.duration = Histogram(
            "llmobs_reconcile_duration_seconds", "How long one reconciliation took.", ["kind"], buckets=_BOUNDS, registry=self.registry
        )
        self.errors = Counter(
            "llmobs_reconcile_errors", "Reconciliations that failed and are tried again.", ["kind", "cause"], registry=self.registry
        )
        self.writes = Counter("llmobs_writes", "Objects written or deleted in the cluster.", ["kind", "action"], registry=self.registry)
        self.restarts = Counter(
            "llmobs_workload_restarts", "Workloads restarted, by cause (rollback, retry, rollout).", ["cause"], registry=self.registry
        )
        self.queue = Gauge("llmobs_queue_length", "Reconciliations waiting.", registry=self.registry)
        self.oldest = Gauge("llmobs_queue_oldest_seconds", "How long the oldest due reconciliation has waited.", registry=self.registry)
        self.watch = Gauge(
            "llmobs_watch_last_event_timestamp_seconds", "When a watch last told anything.", ["kind"], registry=self.registry
        )
        self.resync = Gauge("llmobs_resync_timestamp_seconds", "When everything was last read anew.", registry=self.registry)
        self.policies = Gauge("llmobs_policies", "LLMObservability resources by verdict.", ["state"], registry=self.registry)
        self._pods = Gauge(
            metrics.PODS,
            "Pods that policies match, by state: injected, outdated (a part of injected), skipped, missed (a part of skipped).",
            [*_POLICY, "state"],
            registry=self.registry,
        )
        self._skipped = Gauge(
            metrics.PODS_SKIPPED,
            "Pods that policies match and that are not injected, by reason.",
            [*_POLICY, "reason"],
            registry=self.registry,
        )
        self.prometheus = Gauge("llmobs_prometheus_up", "Whether spend could be read from Prometheus last time.", registry=self.registry)
        self.certificate = Gauge(
            "llmobs_certificate_expiry_timestamp_seconds", "When the webhook's serving certificate ends.", registry=self.registry
        )

    def count_pods(self, *, namespace: str, policy: str, states: Mapping[str, int], reasons: Mapping[str, int]) -> None:
        """Say how the pods of a policy fare; a state or reason that is not named any more is dropped."""
        where = (namespace, policy)
        states_known, reasons_known = self._known.get(where, (frozenset(), frozenset()))
        _put(self._pods, where, states, states_known)
        _put(self._skipped, where, reasons, reasons_known)
        self._known[where] = (frozenset(states), frozenset(reasons))

    def forget(self, *, namespace: str, policy: str) -> None:
        """Drop what is said about a policy that is gone."""
        self.count_pods(namespace=namespace, policy=policy, states={}, reasons={})
        del self._known[namespace, policy]


def _put(gauge: Gauge, where: tuple[str, str], counts: Mapping[str, int], known: frozenset[str]) -> None:
    for word in known - counts.keys():
        gauge.remove(*where, word)
    for word, count in counts.items():
        gauge.labels(*where, word).set(count)
