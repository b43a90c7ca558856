"""The Service that applications send to."""

from __future__ import annotations

from llmobs.plan.collector.objects import PORTS, SELECTOR, metadata
from llmobs.plan.inputs import Inputs, Manifest


def service(inputs: Inputs) -> Manifest:
    """OTLP over gRPC and HTTP."""
    ports = [{"name": name, "port": PORTS[name], "targetPort": name, "protocol": "TCP"} for name in ("otlp-grpc", "otlp-http")]
    spec = {"type": "ClusterIP", "selector": dict(SELECTOR), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata(inputs), "spec": spec}
