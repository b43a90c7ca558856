"""Events for people who read ``kubectl describe``; the same words about the same object at most once an hour."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from llmobs.api import names
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import EVENT
from llmobs.kit.errors import NotYet

EVERY = 3600.0
"""Seconds for which an Event is not repeated; about as long as the API server keeps one."""
_KNOWN = 10_000


class Recorder:
    """Posts Events. An Event is a courtesy: one that can't be posted is dropped."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._posted: dict[tuple[str, str, str], float] = {}

    async def warn(self, body: Manifest, *, reason: str, message: str) -> bool:
        """Post a warning about a namespaced object, unless the same one was posted lately."""
        return await self.tell(body, reason=reason, message=message, kind="Warning")

    async def tell(self, body: Manifest, *, reason: str, message: str, kind: str = "Normal") -> bool:
        """Post an Event about a namespaced object, unless the same one was posted lately."""
        meta = body["metadata"]
        key, now = (str(meta.get("uid")), reason, message), self._clock()
        if now - self._posted.get(key, -EVERY) < EVERY:
            return False
        if len(self._posted) >= _KNOWN:
            self._posted.clear()
        self._posted[key] = now
        try:
            await self._client.create(_event(body, kind, reason=reason, message=message))
        except (NotYet, Refused):
            return False
        return True


def _event(body: Manifest, kind: str, *, reason: str, message: str) -> Manifest:
    meta = body["metadata"]
    now = datetime.now(tz=UTC)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": EVENT.api_version,
        "kind": EVENT.kind,
        "metadata": {"name": f"{meta['name']}.{now.timestamp():.0f}.{names.short(reason + message)}", "namespace": meta["namespace"]},
        "involvedObject": {
            "apiVersion": body["apiVersion"],
            "kind": body["kind"],
            "name": meta["name"],
            "namespace": meta["namespace"],
            "uid": meta.get("uid", ""),
        },
        "type": kind,
        "reason": reason,
        "message": message[:1024],
        "count": 1,
        "firstTimestamp": stamp,
        "lastTimestamp": stamp,
        "source": {"component": names.OPERATOR},
        "reportingComponent": names.OPERATOR,
        "reportingInstance": names.OPERATOR,
    }
