"""What the webhook tells Prometheus about itself."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from llmobs.inject.reasons import Reason

NAMESPACES = 1000
"""Namespaces with series of their own; later ones count as ``other``, so that no cluster makes more series than it can bear."""
OTHER = "other"

SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)


_DECISIONS = {reason.value: reason.decision for reason in Reason}


class _Reviews(Collector):
    """Reviews by outcome and by duration, as plain numbers: in the path of every pod, labels and locks of a client would cost more."""

    def __init__(self) -> None:
        # Every reason exists from the start, so that the first failure is an increase and not a birth.
        self._counts = {(reason.value, ""): 0 for reason in Reason}
        self._known: set[str] = set()
        self._buckets = [0] * (len(SECONDS) + 1)
        self._sum = 0.0
        self.repeated: Callable[[], int] = int

    def reviewed(self, reason: str, namespace: str, seconds: float) -> None:
        key = (reason, namespace)
        if key in self._counts:
            self._counts[key] += 1
        else:
            self._first(key)
        self._buckets[bisect_left(SECONDS, seconds)] += 1
        self._sum += seconds

    def _first(self, key: tuple[str, str]) -> None:
        reason, namespace = key
        if namespace not in self._known and len(self._known) >= NAMESPACES:
            key = (reason, OTHER)
        else:
            self._known.add(namespace)
        self._counts[key] = self._counts.get(key, 0) + 1

    def collect(self) -> Iterator[Metric]:
        """The series of now."""
        counted = CounterMetricFamily(
            "llmobs_admission",
            "Admission reviews answered, by decision (injected, skipped, failed), reason, and namespace where it has a policy.",
            # Never the label `namespace`: a scrape puts the webhook's own in its place.
            labels=["decision", "reason", "k8s_namespace"],
        )
        for (reason, namespace), count in self._counts.items():
            counted.add_metric([_DECISIONS[reason], reason, namespace], count)
        failed = sum(count for (reason, _), count in self._counts.items() if _DECISIONS[reason] == "failed")
        said = "Admission reviews that were answered without a decision: unreadable requests and unexpected errors."
        lasted = HistogramMetricFamily("llmobs_admission_duration_seconds", "Time from the whole request to the answer, in seconds.")
        bounds = [*map(floatToGoString, SECONDS), "+Inf"]
        lasted.add_metric([], list(zip(bounds, accumulate(self._buckets), strict=True)), self._sum)
        again = "Admission reviews that were answered as an equal pod was before, without a decision of their own."
        repeated = CounterMetricFamily("llmobs_admission_repeated", again, self.repeated())
        yield from (counted, CounterMetricFamily("llmobs_admission_errors", said, failed), repeated, lasted)


class AdmissionMetrics:
    """The webhook's metrics, in a registry of their own."""

    def __init__(self, *, policies: Callable[[], int], problems: Callable[[], int], synced: Callable[[], bool]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._reviews = _Reviews()
        self.registry.register(self._reviews)
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
        self._reviews.reviewed(reason.value, namespace, seconds)

    def repeats(self, count: Callable[[], int]) -> None:
        """Say with ``count`` how many answers were given again."""
        self._reviews.repeated = count

    def serves_until(self, timestamp: float) -> None:
        """Note when the served certificate expires, in seconds since 1970."""
        self._expiry.set(timestamp)
