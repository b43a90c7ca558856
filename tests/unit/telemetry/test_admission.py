"""Counting admissions by namespace, within bounds."""

from __future__ import annotations

from llmobs.inject.reasons import Reason
from llmobs.telemetry.admission import NAMESPACES, AdmissionMetrics


def test_a_namespace_has_series_of_its_own_until_there_are_too_many() -> None:
    metrics = AdmissionMetrics(policies=lambda: 0, problems=lambda: 0, synced=lambda: True)

    def count(namespace: str) -> float | None:
        labels = {"decision": "injected", "reason": "Injected", "k8s_namespace": namespace}
        return metrics.registry.get_sample_value("llmobs_admission_total", labels)

    for number in range(NAMESPACES + 2):
        metrics.reviewed(Reason.INJECTED, 0.001, namespace=f"n{number}")
    metrics.reviewed(Reason.INJECTED, 0.001, namespace="n0")
    assert (count("n0"), count(f"n{NAMESPACES - 1}"), count(f"n{NAMESPACES}"), count("other")) == (2, 1, None, 2)
    assert count("") == 0
