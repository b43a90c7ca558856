"""What the webhook tells Prometheus about itself."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from llmobs.inject.reasons import Reason

SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)


class AdmissionMetrics:
    """The webhook's metrics, in a registry of their own."""

    def __init__(self, *, policies: Callable[[], int], problems: Callable[[], int], synced: Callable[[], bool]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        reviews = Counter(
            "llmobs_admission_reviews",
            "Admission reviews answered, by decision (injected, skipped, failed) and reason.",
            ["decision", "reason"],
            registry=self.registry,
        )
        # Every series exists from the start, so that the first failure is an increase and not a birth.
        self._reviews = {reason: reviews.labels(reason.decision, reason.value) for reason in Reason}
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

    def reviewed(self, reason: Reason, seconds: float) -> None:
        """Count one answer."""
        self._reviews[reason].inc()
        self._seconds.observe(seconds)
        if reason.decision == "failed":
            self._errors.inc()

    def serves_until(self, timestamp: float) -> None:
        """Note when the served certificate expires, in seconds since 1970."""
        self._expiry.set(timestamp)
