"""What the webhook tells Prometheus about itself."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from llmobs.inject.reasons import Reason

NAMESPACES = 1000
"""Namespaces with series of their own; later ones count as ``other``, so that no cluster makes more series than it can bear."""
OTHER = "other"

SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)


class AdmissionMetrics:
    """The webhook's metrics, in a registry of their own."""

    def __init__(self, *, policies: Callable[[], int], problems: Callable[[], int], synced: Callable[[], bool]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        reviews = Counter(
            "llmobs_admission",
            "Admission reviews answered, by decision (injected, skipped, failed), reason, and namespace where it has a policy.",
            # Never the label `namespace`: a scrape puts the webhook's own in its place.
            ["decision", "reason", "k8s_namespace"],
            registry=self.registry,
        )
        self._reviews = reviews
        # Every reason exists from the start, so that the first failure is an increase and not a birth.
        self._counts = {(reason, ""): reviews.labels(reason.decision, reason.value, "") for reason in Reason}
        self._known: set[str] = set()
        self._errors = Counter(
            "llmobs_admission_errors",
            "Admission reviews that were answered without a decision: unreadable requests and unexpected errors.",
            registry=self.registry,
        )
        self._seconds = Histogram(
            "llmobs_admission_duration_seconds",
            "Time from the whole request to the answer, in seconds.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._expiry = Gauge(
            "llmobs_admission_certificate_expiry_timestamp_seconds",
            "When the certificate that is served expires, in seconds since 1970.",
            registry=self.registry,
        )
        known = Gauge("llmobs_admission_policies", "Policies by state: compiled, or refused.", ["state"], registry=self.registry)
        known.labels("compiled").set_function(lambda: float(policies()))
        known.labels("refused").set_function(lambda: float(problems()))
        ready = Gauge("llmobs_admission_synced", "1 once all policies and namespaces have been read.", registry=self.registry)
        ready.set_function(lambda: float(synced()))

    def reviewed(self, reason: Reason, seconds: float, *, namespace: str = "") -> None:
        """Count one answer; ``namespace`` is empty for one without a policy."""
        (self._counts.get((reason, namespace)) or self._count(reason, namespace)).inc()
        self._seconds.observe(seconds)
        if reason.decision == "failed":
            self._errors.inc()

    def _count(self, reason: Reason, namespace: str) -> Counter:
        if namespace not in self._known and len(self._known) >= NAMESPACES:
            return self._reviews.labels(reason.decision, reason.value, OTHER)
        self._known.add(namespace)
        made = self._counts[reason, namespace] = self._reviews.labels(reason.decision, reason.value, namespace)
        return made

    def serves_until(self, timestamp: float) -> None:
        """Note when the served certificate expires, in seconds since 1970."""
        self._expiry.set(timestamp)
