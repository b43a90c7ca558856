"""A source of policies: the cluster, by list and watch."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from llmobs.cluster.client import Client, Manifest, connected
from llmobs.cluster.errors import Refused
from llmobs.cluster.facts import version
from llmobs.cluster.installation import WEBHOOK
from llmobs.cluster.kinds import FLEET, LIMIT_RANGE, NAMESPACE, POLICY, QUOTA, WEBHOOKS, Resource
from llmobs.cluster.watch import follow
from llmobs.inject.qos import KubernetesVersion
from llmobs.kit.errors import NotYet
from llmobs.webhook.store import Store
from llmobs.webhook.trust import published

UNTOLD: KubernetesVersion = (1, 35)
"""Assumed of an API server that does not tell its version: pod-level resources count, and nothing is sent that could be refused."""

VERSION_EVERY, VERSION_RETRY = 600.0, 5.0
"""Seconds between questions for the API server's version, and after one that was not answered."""

TRUST_EVERY = 5.0
"""Seconds between looks at what the API server trusts."""

logger = logging.getLogger(__name__)


class ClusterSource:
    """Feeds a store from the API server of a kubeconfig, of KUBECONFIG or of the cluster this runs in."""

    def __init__(self, kubeconfig: str | None = None) -> None:
        self._kubeconfig = kubeconfig

    async def run(self, store: Store) -> None:
        """Follow namespaces, LimitRanges, ResourceQuotas, fleets and policies for ever; what is lost on the way is listed again."""
        store.served_by(UNTOLD)
        async with connected(self._kubeconfig) as client, asyncio.TaskGroup() as group:
            store.look = partial(_look, client, store)
            group.create_task(_version(client, store))
            group.create_task(_trusted(store.look))
            for kind in (NAMESPACE, LIMIT_RANGE, QUOTA, FLEET, POLICY):
                for place in store.places(kind.kind):
                    group.create_task(_follow(client, kind, store, place))


async def _follow(client: Client, kind: Resource, store: Store, place: str) -> None:
    told = partial(changed, store, kind.kind)
    listed = partial(store.replace, kind.kind, place=place)

    def barred() -> None:
        # with a namespace its Role goes too: one that is gone must not keep the others waiting
        if place and store.lacks(kind.kind, place):
            listed([])

    await follow(client, kind, listed=listed, changed=told, barred=barred, place=place)


def changed(store: Store, kind: str, event: str, body: Manifest) -> None:
    """Take in one watch event."""
    if event == "DELETED":
        meta = body["metadata"]
        store.remove(kind, name=meta["name"], namespace=meta.get("namespace", ""))
    else:
        store.put(kind, body)


async def _version(client: Client, store: Store) -> None:
    """Note the API server's version, again and again, since clusters are upgraded."""
    while True:
        try:
            found = await version(client)
        except (NotYet, Refused) as error:
            logger.info("the API server's version is not known: %s", error)
            found = None
        if found is not None:
            store.served_by(found)
        await asyncio.sleep(VERSION_EVERY if found else VERSION_RETRY)


async def _trusted(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await look()
        await asyncio.sleep(TRUST_EVERY)


async def _look(client: Client, store: Store) -> None:
    """Note what the API server expects of our certificate; what cannot be read now stays as it was."""
    try:
        store.published = published(await client.get(WEBHOOKS, WEBHOOK) or {})
    except (NotYet, Refused) as error:
        logger.info("the webhook configuration is not known: %s", error)
