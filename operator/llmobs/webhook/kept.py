"""What admission keeps of a resource, and what a fleet resource remembers of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmobs.api import effective, memory
from llmobs.api.effective import Fleet
from llmobs.inject.agents import AROUND
from llmobs.kit.errors import Invalid

Body = Mapping[str, Any]

_META = ("name", "namespace", "uid", "generation", "creationTimestamp", "labels")


def slim(body: Body) -> Body:
    """What of a resource admission depends on; a change of anything else changes nothing."""
    meta = body.get("metadata") or {}
    said = {key: value for key, value in (meta.get("annotations") or {}).items() if key in AROUND}
    status = {key: value for key, value in (body.get("status") or {}).items() if key == "lastAccepted"}
    kept = {**{key: meta[key] for key in _META if key in meta}, **({"annotations": said} if said else {})}
    return {"metadata": kept, "spec": body.get("spec"), "status": status}


def recalled(body: Body) -> Fleet | None:
    """A fleet resource as its status remembers it."""
    kept = memory.remembered(body)
    try:
        return None if kept is None else effective.fleet(kept)
    except Invalid:
        return None
