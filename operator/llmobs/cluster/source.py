"""The webhook's source: policies, fleet resources and namespaces of a cluster, kept up to date by watches."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from llmobs.cluster.client import Client, Manifest, connected
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import FLEET, NAMESPACE, POLICY, Resource
from llmobs.cluster.watch import follow
from llmobs.kit.errors import NotYet

VERSION_EVERY = 600.0
"""Seconds between looks at the API server's version; it changes when the cluster is upgraded."""

Body = Mapping[str, Any]


class Sink(Protocol):
    """Where what is seen goes: the webhook's store."""

    def replace(self, kind: str, bodies: Iterable[Body]) -> None:
        """The whole truth about a kind."""

    def put(self, kind: str, body: Body) -> None:
        """A resource is new or has changed."""

    def remove(self, kind: str, *, name: str, namespace: str = "") -> None:
        """A resource is gone."""

    def served_by(self, version: tuple[int, int]) -> None:
        """The API server's version."""


class ClusterSource:
    """Feeds a store from a cluster until it is cancelled; lost connections are taken up again for ever."""

    def __init__(self, kubeconfig: str | None = None) -> None:
        self._kubeconfig = kubeconfig
        self._heard: dict[str, float] = {}

    def silence(self) -> float:
        """Seconds since the quietest watch last told anything; a healthy one does so every minute."""
        return max((time.monotonic() - moment for moment in self._heard.values()), default=0.0)

    async def run(self, store: Sink) -> None:
        """List and watch every kind that the store wants; labels and fleets come before the policies they decide about."""
        async with connected(self._kubeconfig) as client, asyncio.TaskGroup() as group:
            group.create_task(_version(client, store))
            for kind in (NAMESPACE, FLEET, POLICY):
                group.create_task(self._follow(client, kind, store))

    async def _follow(self, client: Client, kind: Resource, store: Sink) -> None:
        await follow(client, kind, listed=partial(store.replace, kind.kind), changed=partial(_changed, store, kind), beat=self._beat)

    def _beat(self, plural: str) -> None:
        self._heard[plural] = time.monotonic()


def _changed(store: Sink, kind: Resource, event: str, body: Manifest) -> None:
    if event == "DELETED":
        meta = body["metadata"]
        store.remove(kind.kind, name=meta["name"], namespace=meta.get("namespace", ""))
    else:
        store.put(kind.kind, body)


async def _version(client: Client, store: Sink) -> None:
    while True:
        try:
            found = version(await client.request("GET", "/version"))
        except (NotYet, Refused):
            found = None
        if found is not None:
            store.served_by(found)
        await asyncio.sleep(VERSION_EVERY if found else 5.0)


def version(answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """Major and minor of the API server; providers write minors such as ``36+``."""
    major, minor = (re.match(r"\d+", str(answer.get(key, ""))) for key in ("major", "minor"))
    return (int(major[0]), int(minor[0])) if major and minor else None
