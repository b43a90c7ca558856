"""The gateway's ServiceAccount."""

from __future__ import annotations

from llmobs.plan.collector.objects import metadata
from llmobs.plan.inputs import Inputs, Manifest


def serviceaccount(inputs: Inputs) -> Manifest:
    """The account; its token is mounted by the Deployment, which alone needs it."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata(inputs), "automountServiceAccountToken": False}
