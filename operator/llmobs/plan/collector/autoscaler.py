"""The HorizontalPodAutoscaler: more pods while they are busy."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest

CALM = 600
"""Seconds of less load before a pod is taken away: each one that goes takes what it has counted and not yet shown."""


def autoscaler(site: Site) -> Manifest:
    """By CPU alone: a collector's memory grows to its limit and does not come down, so it would only ever add pods."""
    wanted = site.inputs.settings.gateway.target_utilization
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": wanted}}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": site.name},
        "minReplicas": site.replicas,
        "maxReplicas": site.max_replicas,
        "metrics": [{"type": "Resource", "resource": cpu}],
        "behavior": {
            "scaleDown": {"stabilizationWindowSeconds": CALM, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 120}]},
        },
    }
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": site.metadata(), "spec": spec}
