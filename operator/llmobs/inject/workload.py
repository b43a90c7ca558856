"""Workloads in files: the pod that admission would see for them, and the way back."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from llmobs.inject.identity import HASH_LABEL
from llmobs.inject.patch import Change, encoded
from llmobs.kit.errors import Invalid

Object = dict[str, Any]

TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where each kind keeps its pod."""

_API_VERSIONS = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}

_HASH = "5d4f8c7b96"
_MINUTE = 29_700_000
_REVISION = "6c9f8d7b5"
"""Stand-ins for what controllers make up; they never show in the result."""


@dataclass(frozen=True)
class Seen:
    """A pod as admission would see it, and where it belongs in the object it comes from."""

    namespace: str
    path: tuple[str, ...]
    pod: Object


def supported(body: Mapping[str, Any]) -> bool:
    """Whether this is a pod or a workload we know."""
    kind = body.get("kind")
    return kind in TEMPLATES and body.get("apiVersion") == _API_VERSIONS.get(str(kind), "apps/v1")


def seen(body: Object) -> Seen:
    """The pod that admission would see for a pod or workload. Raises :class:`Invalid` where the template is missing."""
    kind, meta = str(body["kind"]), _object(body.get("metadata"), "metadata")
    path = TEMPLATES[kind]
    pod = copy.deepcopy(template(body, path))
    pod["metadata"] = _object(pod.get("metadata"), ".".join([*path, "metadata"]))
    _object(pod.get("spec") or None, ".".join([*path, "spec"]), needed=True)
    if path:
        _controlled(pod["metadata"], kind, str(meta.get("name") or f"{meta.get('generateName', '')}x"))
    return Seen(str(meta.get("namespace") or "default"), path, pod)


def template(body: Object, path: Iterable[str]) -> Object:
    """The part of ``body`` at ``path``, itself for an empty one. Raises :class:`Invalid` where a part is missing."""
    found, walked = body, ""
    for part in path:
        walked = f"{walked}.{part}" if walked else part
        found = _object(found.get(part), walked, needed=True)
    return found


def _object(value: Any, path: str, *, needed: bool = False) -> Object:
    if value is None and not needed:
        return {}
    if value is None:
        raise Invalid(path, "is required")
    if not isinstance(value, dict):
        raise Invalid(path, f"must be an object, not {value!r}")
    return value


def _controlled(meta: Object, kind: str, name: str) -> None:
    """Add what the kind's controller adds to its pods' metadata."""
    owner, owner_name, labels = kind, name, dict[str, str]()
    if kind == "Deployment":
        owner, owner_name, labels = "ReplicaSet", f"{name}-{_HASH}", {HASH_LABEL: _HASH}
    elif kind == "CronJob":
        owner, owner_name = "Job", f"{name}-{_MINUTE}"
    if owner == "Job":
        labels = {"batch.kubernetes.io/job-name": owner_name, "job-name": owner_name}
    elif kind == "StatefulSet":
        labels = {"apps.kubernetes.io/pod-index": "0", "statefulset.kubernetes.io/pod-name": f"{name}-0"}
    if kind in ("StatefulSet", "DaemonSet"):
        labels["controller-revision-hash"] = _REVISION
    meta["labels"] = {**_object(meta.get("labels"), "metadata.labels"), **labels}
    meta["ownerReferences"] = [{"kind": owner, "name": owner_name, "controller": True}]


def relocated(operations: Iterable[Change], body: Object, path: tuple[str, ...]) -> list[Object]:
    """Operations on a seen pod as plain operations on the object it comes from, with the maps made that the template lacks."""
    plain: list[Object] = msgspec.json.decode(encoded(operations))
    prefix = "".join(f"/{part}" for part in path)
    meta = template(body, path).get("metadata")
    made: list[Object] = []
    for operation in plain:
        for parent in _missing(operation["path"], meta):
            if {"op": "add", "path": prefix + parent, "value": {}} not in made:
                made.append({"op": "add", "path": prefix + parent, "value": {}})
        made.append({**operation, "path": prefix + operation["path"]})
    return made


def _missing(path: str, meta: Any) -> list[str]:
    """The maps above ``path`` that the template's metadata lacks, outermost first."""
    parts = path.split("/")
    if parts[1] != "metadata":
        return []
    missing = [] if meta else ["/metadata"]
    if len(parts) > 3 and not (meta or {}).get(parts[2]):
        missing.append(f"/metadata/{parts[2]}")
    return missing


def patched(body: Object, operations: Iterable[Object]) -> Object:
    """``body`` after plain ``add`` and ``replace`` operations that are known to fit it."""
    result = copy.deepcopy(body)
    for operation in operations:
        *parents, last = (part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:])
        target: Any = result
        for part in parents:
            target = target[int(part)] if isinstance(target, list) else target[part]
        if not isinstance(target, list):
            target[last] = operation["value"]
        elif operation["op"] == "replace":
            target[int(last)] = operation["value"]
        else:
            target.insert(len(target) if last == "-" else int(last), operation["value"])
    return result
