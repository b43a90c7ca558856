"""Owner references: what the cluster deletes together with what, so that no finalizer is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.kinds import CLUSTER_ROLE, CONFIG_MAP

SETTINGS = "llmobs-settings"
"""The ConfigMap of the chart that owns the fleet's namespaced objects: uninstalling the chart takes them along."""
CONTROLLER = "llmobs-controller"
"""The ClusterRole of the chart that owns the fleet's cluster-wide objects, which can't belong to a namespaced one."""

Owners = Mapping[bool, Mapping[str, Any]]
"""Owner reference by whether the object that is owned has a namespace."""


def reference(manifest: Manifest) -> dict[str, Any]:
    """An owner reference to an object. Without blockOwnerDeletion, which would need rights on finalizers."""
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "name": manifest["metadata"]["name"],
        "uid": manifest["metadata"]["uid"],
    }


async def installation(client: Client, namespace: str) -> Owners:
    """The owners of fleet objects, as far as they exist: both, or none where the operator was not installed by its chart."""
    settings = await client.get(CONFIG_MAP, SETTINGS, namespace=namespace)
    role = await client.get(CLUSTER_ROLE, CONTROLLER)
    return {namespaced: reference(found) for namespaced, found in ((True, settings), (False, role)) if found}
