"""The NetworkPolicy: pods may send and Prometheus may read; nothing else comes in."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest


def networkpolicy(site: Site) -> Manifest:
    """Ingress only. Receivers of traces and the API server may be anywhere, so what goes out is not limited."""
    everybody: list[Manifest] = [{"namespaceSelector": {}}]
    senders: list[Manifest] = [{"podSelector": {}}] if site.confined else everybody
    ingress: list[Manifest] = [
        {"from": senders, "ports": _ports("otlp-grpc", "otlp-http")},
        {"from": everybody, "ports": _ports("metrics", "self-metrics")},
        # the kubelet asks from a node's address, which no selector names
        {"ports": _ports("health")},
    ]
    spec = {"podSelector": {"matchLabels": dict(site.identity)}, "policyTypes": ["Ingress"], "ingress": ingress}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": site.metadata(), "spec": spec}


def _ports(*names: str) -> list[dict[str, str]]:
    return [{"port": name, "protocol": "TCP"} for name in names]
