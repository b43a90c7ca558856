"""The NetworkPolicy: pods may send and Prometheus may read; nothing else comes in."""

from __future__ import annotations

from llmobs.plan.collector.objects import SELECTOR, metadata
from llmobs.plan.inputs import Inputs, Manifest


def networkpolicy(inputs: Inputs) -> Manifest:
    """Ingress only. Receivers of traces and the API server may be anywhere, so what goes out is not limited."""
    pods: list[Manifest] = [{"namespaceSelector": {}}]
    ingress: list[Manifest] = [
        {"from": pods, "ports": _ports("otlp-grpc", "otlp-http", "metrics", "self-metrics")},
        # the kubelet asks from a node's address, which no selector names
        {"ports": _ports("health")},
    ]
    spec = {"podSelector": {"matchLabels": dict(SELECTOR)}, "policyTypes": ["Ingress"], "ingress": ingress}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata(inputs), "spec": spec}


def _ports(*names: str) -> list[dict[str, str]]:
    return [{"port": name, "protocol": "TCP"} for name in names]
