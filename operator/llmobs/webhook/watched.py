"""A source of policies: the cluster, by list and watch."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from llmobs.cluster.client import Client, Manifest, connected
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import FLEET, NAMESPACE, POLICY, Resource
from llmobs.cluster.watch import follow
from llmobs.kit.errors import NotYet
from llmobs.webhook.store import Store

logger = logging.getLogger(__name__)


class ClusterSource:
    """Feeds a store from the API server of a kubeconfig, of KUBECONFIG or of the cluster this runs in."""

    def __init__(self, kubeconfig: str | None = None) -> None:
        self._kubeconfig = kubeconfig

    async def run(self, store: Store) -> None:
        """Follow namespaces, fleets and policies for ever; what is lost on the way is listed again."""
        async with connected(self._kubeconfig) as client, asyncio.TaskGroup() as group:
            await _version(client, store)
            for kind in (NAMESPACE, FLEET, POLICY):
                group.create_task(_follow(client, kind, store))


async def _follow(client: Client, kind: Resource, store: Store) -> None:
    changed = partial(_changed, store, kind.kind)
    await follow(client, kind, listed=partial(store.replace, kind.kind), changed=changed, beat=lambda _: None)


def _changed(store: Store, kind: str, event: str, body: Manifest) -> None:
    if event == "DELETED":
        meta = body["metadata"]
        store.remove(kind, name=meta["name"], namespace=meta.get("namespace", ""))
    else:
        store.put(kind, body)


async def _version(client: Client, store: Store) -> None:
    """Note the API server's version; a server that does not tell counts as the newest."""
    try:
        found = await client.request("GET", "/version")
        store.served_by((int(found["major"]), int("".join(char for char in found["minor"] if char.isdigit()))))
    except (NotYet, Refused, KeyError, ValueError) as error:
        logger.warning("the API server's version is not known: %s", error)
