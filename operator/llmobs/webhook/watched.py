"""A source of policies: the cluster, by list and watch."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from llmobs.cluster.client import Client, Manifest, connected
from llmobs.cluster.errors import Refused
from llmobs.cluster.installation import WEBHOOK
from llmobs.cluster.kinds import FLEET, LIMIT_RANGE, NAMESPACE, POLICY, WEBHOOKS, Resource
from llmobs.cluster.watch import follow
from llmobs.inject.qos import KubernetesVersion
from llmobs.kit.errors import NotYet
from llmobs.webhook.store import Store
from llmobs.webhook.trust import published

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
        """Follow namespaces, LimitRanges, fleets and policies for ever; what is lost on the way is listed again."""
        async with connected(self._kubeconfig) as client, asyncio.TaskGroup() as group:
            group.create_task(_version(client, store))
            group.create_task(_trusted(client, store))
            for kind in (NAMESPACE, LIMIT_RANGE, FLEET, POLICY):
                group.create_task(_follow(client, kind, store))


async def _follow(client: Client, kind: Resource, store: Store) -> None:
    told = partial(changed, store, kind.kind)
    await follow(client, kind, listed=partial(store.replace, kind.kind), changed=told, beat=lambda _: None)


def changed(store: Store, kind: str, event: str, body: Manifest) -> None:
    """Take in one watch event."""
    if event == "DELETED":
        meta = body["metadata"]
        store.remove(kind, name=meta["name"], namespace=meta.get("namespace", ""))
    else:
        store.put(kind, body)


async def _version(client: Client, store: Store) -> None:
    """Note the API server's version, again and again, since clusters are upgraded; one that does not tell counts as the newest."""
    while True:
        try:
            found = version(await client.request("GET", "/version"))
        except (NotYet, Refused) as error:
            logger.info("the API server's version is not known: %s", error)
            found = None
        if found is not None:
            store.served_by(found)
        await asyncio.sleep(VERSION_EVERY if found else VERSION_RETRY)


async def _trusted(client: Client, store: Store) -> None:
    """Note what the API server expects of our certificate, again and again; what cannot be read now stays as it was."""
    while True:
        try:
            store.published = published(await client.get(WEBHOOKS, WEBHOOK) or {})
        except (NotYet, Refused) as error:
            logger.info("the webhook configuration is not known: %s", error)
        await asyncio.sleep(TRUST_EVERY)


def version(answer: Mapping[str, Any]) -> KubernetesVersion | None:
    """Major and minor of an API server; providers write minors such as ``36+``."""
    major, minor = (re.match(r"[0-9]+", str(answer.get(key, ""))) for key in ("major", "minor"))
    return (int(major[0]), int(minor[0])) if major and minor else None
