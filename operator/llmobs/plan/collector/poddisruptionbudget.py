"""The PodDisruptionBudget: one pod at a time."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest


def poddisruptionbudget(site: Site) -> Manifest:
    """A drain may take one pod, even the only one: it must not hang."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(site.identity)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": site.metadata(), "spec": spec}
