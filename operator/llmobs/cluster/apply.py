"""Apply planned objects: server-side, in the order of what refers to what, and nothing when nothing would change."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from llmobs.api import names
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import Ref, rank, ref, resource

logger = logging.getLogger(__name__)

Live = Mapping[Ref, Manifest]
"""Objects of ours as they are in the cluster."""


def stamped(manifest: Manifest, owner: Mapping[str, Any] | None) -> Manifest:
    """The manifest with its owner and the hash of what is applied."""
    meta = dict(manifest["metadata"])
    if owner:
        meta["ownerReferences"] = [dict(owner)]
    text = json.dumps([{**manifest, "metadata": meta}], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    meta["annotations"] = {**(meta.get("annotations") or {}), names.APPLIED: digest}
    return {**manifest, "metadata": meta}


def covers(live: Any, wanted: Any) -> bool:
    """Whether everything that ``wanted`` says is so in ``live``; what others or defaults added does not count."""
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(_holds(live, key, value) for key, value in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(live, list) and len(live) == len(wanted)
        return same and all(covers(a, b) for a, b in zip(live, wanted, strict=True))
    return bool(live == wanted)


def _holds(live: Mapping[str, Any], key: str, wanted: Any) -> bool:
    # the API server stores no empty value of an optional field
    return covers(live[key], wanted) if key in live else wanted in (None, {}, [], "", 0, False)


def changed(manifest: Manifest, live: Manifest | None) -> bool:
    """Whether a stamped manifest must be applied: new, of other content than last time, or changed by somebody else."""
    if live is None:
        return True
    before = (live["metadata"].get("annotations") or {}).get(names.APPLIED)
    now = manifest["metadata"]["annotations"][names.APPLIED]
    return bool(before != now) or not covers(live, manifest)


async def apply(client: Client, manifests: Iterable[Manifest], live: Live, owners: Mapping[bool, Mapping[str, Any]]) -> int:
    """Apply what differs and return how many objects were written.

    ``owners`` holds the owner reference of namespaced (True) and cluster-wide (False) objects. Stops at the first
    object that can't be applied, so that nothing is changed that refers to it: Refused or NotYet.
    """
    written = 0
    for manifest in sorted(manifests, key=rank):
        wanted = stamped(manifest, owners.get(resource(manifest).namespaced))
        known = live.get(ref(wanted))
        if not changed(wanted, known):
            continue
        if known is None:
            await _unclaimed(client, wanted)
        stored = await client.apply(wanted)
        if _version(stored) != _version(known):
            written += 1
            logger.info("%s %s", "created" if known is None else "changed", ref(wanted))
    return written


async def _unclaimed(client: Client, wanted: Manifest) -> None:
    """Refuse to take over an object that somebody else made under the name we want."""
    name = ref(wanted)
    there = await client.get(resource(wanted), name.name, namespace=name.namespace)
    if there is not None and (there["metadata"].get("labels") or {}).get(names.MANAGED_BY) != names.OPERATOR:
        raise Refused(409, f"{name} exists and was not made by this operator; rename or delete it", what=f"apply {name}")


def _version(manifest: Manifest | None) -> str:
    return str(manifest["metadata"].get("resourceVersion", "")) if manifest else ""
