"""The PodDisruptionBudget: one pod at a time."""

from __future__ import annotations

from llmobs.plan.collector.objects import SELECTOR, metadata
from llmobs.plan.inputs import Inputs, Manifest


def poddisruptionbudget(inputs: Inputs) -> Manifest:
    """A drain may take one pod, even the only one: it must not hang."""
    spec = {"maxUnavailable": 1, "selector": {"matchLabels": dict(SELECTOR)}}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata(inputs), "spec": spec}
