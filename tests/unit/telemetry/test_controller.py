"""The controller's figures of pods: one series per state and reason, none that outlives its cause."""

from llmobs.telemetry.controller import Metrics
from prometheus_client import generate_latest


def told(metrics: Metrics) -> list[str]:
    lines = generate_latest(metrics.registry).decode().splitlines()
    return [line for line in lines if line.startswith("llmobs_pods")]


def test_a_reason_that_is_gone_leaves_no_series() -> None:
    metrics = Metrics()
    metrics.count_pods(namespace="a", policy="p", states={"injected": 1, "missed": 2}, reasons={"Missed": 2})
    metrics.count_pods(namespace="a", policy="p", states={"injected": 3, "missed": 0}, reasons={"OptedOut": 1})
    assert told(metrics) == [
        'llmobs_pods{k8s_namespace="a",policy="p",state="injected"} 3.0',
        'llmobs_pods{k8s_namespace="a",policy="p",state="missed"} 0.0',
        'llmobs_pods_skipped{k8s_namespace="a",policy="p",reason="OptedOut"} 1.0',
    ]


def test_a_policy_that_is_gone_leaves_nothing_and_may_be_forgotten_twice() -> None:
    metrics = Metrics()
    metrics.count_pods(namespace="a", policy="p", states={"injected": 1}, reasons={"OptedOut": 1})
    metrics.count_pods(namespace="b", policy="p", states={"injected": 1}, reasons={})
    for _ in range(2):
        metrics.forget(namespace="a", policy="p")
    assert told(metrics) == ['llmobs_pods{k8s_namespace="b",policy="p",state="injected"} 1.0']
