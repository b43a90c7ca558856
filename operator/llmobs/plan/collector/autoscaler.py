"""The HorizontalPodAutoscaler: more pods while they are busy."""

from __future__ import annotations

from llmobs.api import names
from llmobs.plan.collector.objects import metadata
from llmobs.plan.inputs import Inputs, Manifest

CALM = 600
"""Seconds of less load before a pod is taken away: each one that goes takes what it has counted and not yet shown."""


def autoscaler(inputs: Inputs) -> Manifest:
    """By CPU alone: a collector's memory grows to its limit and does not come down, so it would only ever add pods."""
    gateway = inputs.settings.gateway
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": gateway.target_utilization}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.GATEWAY},
        "minReplicas": gateway.replicas,
        "maxReplicas": gateway.max_replicas,
        "metrics": [{"type": "Resource", "resource": cpu}],
        "behavior": {
            "scaleDown": {"stabilizationWindowSeconds": CALM, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}]},
        },
    }
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata(inputs), "spec": spec}
