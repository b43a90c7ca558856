"""The gateway's ServiceAccount."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest


def serviceaccount(site: Site) -> Manifest:
    """The account; its token is mounted by the Deployment, which alone needs it."""
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": site.metadata(), "automountServiceAccountToken": False}
