"""The Service that applications send to."""

from __future__ import annotations

from llmobs.plan.collector.objects import PORTS
from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest


def service(site: Site) -> Manifest:
    """OTLP over gRPC and HTTP."""
    ports = [{"name": name, "port": PORTS[name], "targetPort": name, "protocol": "TCP"} for name in ("otlp-grpc", "otlp-http")]
    spec = {"type": "ClusterIP", "selector": dict(site.identity), "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": site.metadata(), "spec": spec}
