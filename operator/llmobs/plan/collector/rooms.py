"""Rooms: the series of a namespace are added up apart from those of others, so that whoever invents names without end fills its own.

The collector bounds the series that one processor adds up, and knows no bound for each namespace. So there are several of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmobs.api.effective import Policy
from llmobs.plan.collector.ottl import literal

ROOM = "llmobs.room"
"""The resource attribute with the namespace's room; absent for one that no policy speaks for."""

MOST = 32
"""Rooms of a gateway; of more namespaces several share one. Each costs a pipeline of its own."""

REST = "rest"
"""The room of all namespaces that no policy speaks for."""


def rooms(policies: Sequence[Policy]) -> dict[str, str]:
    """Namespace -> its room. A namespace more may move the others: the pods of a gateway that are configured anew begin with no series."""
    namespaces = sorted({policy.identity.namespace for policy in policies})
    return {namespace: f"{index % MOST:02}" for index, namespace in enumerate(namespaces)}


def share(rooms: Sequence[str], *, all_: int, most: int, least: int) -> int:
    """How many of all series a room holds. With many rooms they hold more together, which takes as many hostile namespaces."""
    return max(least, min(most, all_ // (len(rooms) + 1)))


def routing(rooms: Sequence[str], who: str, between: str, pipeline: str) -> dict[str, Any]:
    """The connector's table, by what the attribute ``who`` begins with; ``between`` stands behind the room there."""
    rows = [
        {
            "context": "resource",
            "condition": f"HasPrefix(resource.attributes[{literal(who)}], {literal(room + between)})",
            "pipelines": [f"{pipeline}.{room}"],
        }
        for room in rooms
    ]
    return {"error_mode": "silent", "default_pipelines": [f"{pipeline}.{REST}"], "table": rows}


def numbers(found: Mapping[str, str]) -> tuple[str, ...]:
    """The distinct rooms."""
    return tuple(sorted(set(found.values())))
