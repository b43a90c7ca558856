"""What exists of ours: objects by the labels that every one of them carries."""

from __future__ import annotations

from collections.abc import Iterable

from llmobs.api import names
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import POD_MONITOR, PROMETHEUS_RULE, Ref, Resource, ref

FLEET = "fleet"
"""Value of the owner label on objects that were made for the whole cluster."""
ADMISSION = "admission"
"""That of objects by which the API server itself instruments."""

_PROMETHEUS = (POD_MONITOR, PROMETHEUS_RULE)


async def live(
    client: Client, kinds: Iterable[Resource], *, owner: str = "", namespace: str = "", prometheus: bool = True
) -> dict[Ref, Manifest]:
    """Our objects of some kinds: all of them, or those made for one owner, or those of one namespace.

    ``prometheus`` says whether prometheus-operator's kinds exist; without it they are not asked for.
    """
    labels = f"{names.MANAGED_BY}={names.OPERATOR},{names.OWNER}" + (f"={owner}" if owner else "")
    found: dict[Ref, Manifest] = {}
    for kind in kinds:
        if kind not in _PROMETHEUS or prometheus:
            found.update({ref(item): item for item in await _listed(client, kind, labels, namespace)})
    return found


async def _listed(client: Client, kind: Resource, labels: str, namespace: str) -> list[Manifest]:
    try:
        return (await client.list(kind, labels=labels, namespace=namespace if kind.namespaced else ""))[0]
    except Refused as refused:
        if refused.status == 404 and kind in _PROMETHEUS:  # its definition was deleted a moment ago
            return []
        raise


def owner(manifest: Manifest) -> str:
    """Whom an object of ours was made for: ``fleet`` or the uid of a resource."""
    return str((manifest["metadata"].get("labels") or {}).get(names.OWNER, ""))
