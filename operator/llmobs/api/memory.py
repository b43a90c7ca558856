"""The spec that was accepted last, as a resource's status carries it: what serves while a newer one is refused, also after a restart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmobs.api.v1alpha1.status import LastAccepted

LARGEST = 256 * 1024
"""Characters of a spec that is remembered; a larger one would crowd the object's own size limit of 1.5 MiB."""

Body = Mapping[str, Any]


def noted(body: Body) -> LastAccepted | None:
    """What a status says about a spec that is accepted; None for one that is too large to be remembered."""
    spec = json.dumps(body.get("spec") or {}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if len(spec) > LARGEST:
        return None
    return LastAccepted(generation=int(body["metadata"].get("generation") or 0), spec=spec)


def remembered(body: Body) -> Body | None:
    """The resource as it was when its spec was accepted last; None where its status does not tell."""
    kept = (body.get("status") or {}).get("lastAccepted") or {}
    try:
        spec = json.loads(kept.get("spec", ""))
    except ValueError:
        return None
    if not isinstance(spec, dict):
        return None
    return {**body, "metadata": {**body["metadata"], "generation": kept.get("generation", 0)}, "spec": spec}
