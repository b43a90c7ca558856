"""What the gateway's objects share: names, labels, metadata."""

from __future__ import annotations

from typing import Any

from llmobs.api import names
from llmobs.plan.inputs import Inputs

COMPONENT = "gateway"
SELECTOR = {"app.kubernetes.io/name": names.OPERATOR, "app.kubernetes.io/component": COMPONENT}
"""Labels by which the gateway's pods are found. Never changed: a Deployment's selector cannot be."""

PORTS = {
    "otlp-grpc": names.OTLP_GRPC_PORT,
    "otlp-http": names.OTLP_HTTP_PORT,
    "metrics": names.METRICS_PORT,
    "self-metrics": names.SELF_METRICS_PORT,
    "health": names.HEALTH_PORT,
}


def metadata(inputs: Inputs, name: str = names.GATEWAY) -> dict[str, Any]:
    """Metadata of an object in the operator's namespace."""
    return {"name": name, "namespace": inputs.facts.namespace, "labels": names.labels("fleet", COMPONENT)}


def everywhere() -> dict[str, Any]:
    """Metadata of an object that has no namespace."""
    return {"name": names.GATEWAY, "labels": names.labels("fleet", COMPONENT)}
