"""Delete what is ours and no longer planned."""

from __future__ import annotations

import logging
from collections.abc import Container, Iterable

from llmobs.api import names
from llmobs.cluster.apply import Live
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.kinds import CONFIG_MAP, POD, REPLICA_SET, Ref
from llmobs.cluster.live import FLEET, owner

logger = logging.getLogger(__name__)


async def prune(client: Client, live: Live, planned: Container[Ref]) -> int:
    """Delete every live object that is not planned; returns how many. ``live`` must hold nothing of anybody else's."""
    gone = [name for name in live if name not in planned]
    for name in gone:
        await client.delete(live[name])
        logger.info("deleted %s", name)
    return len(gone)


def orphans(live: Live, owners: Container[str]) -> dict[Ref, Manifest]:
    """Objects made for resources that are gone. Normally the cluster's garbage collector is faster."""
    return {name: item for name, item in live.items() if owner(item) != FLEET and owner(item) not in owners}


async def in_use(client: Client, namespace: str) -> frozenset[Ref]:
    """The ConfigMaps that a ReplicaSet of the namespace or a pod of ours mounts, so that it can still start or be rolled back to.

    How many old ReplicaSets there are is the Deployment's revisionHistoryLimit; a StatefulSet's pods tell themselves.
    """
    sets, _ = await client.list(REPLICA_SET, namespace=namespace)
    pods, _ = await client.list(POD, namespace=namespace, labels=f"{names.MANAGED_BY}={names.OPERATOR}")
    specs = [*(item["spec"]["template"]["spec"] for item in sets), *(item["spec"] for item in pods)]
    return frozenset(Ref(CONFIG_MAP.kind, namespace, name) for item in specs for name in _mounted(item))


def _mounted(pod: Manifest) -> Iterable[str]:
    volumes = pod.get("volumes") or []
    sources = [item.get("configMap") for item in volumes]
    sources += [part.get("configMap") for item in volumes for part in (item.get("projected") or {}).get("sources") or []]
    return [source["name"] for source in sources if source and source.get("name")]
