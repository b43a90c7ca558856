"""JSON Patch: operations, and the check that each of them fits the pod before any is sent.

An operation that does not fit refuses the whole pod, even where the webhook's failure policy is Ignore.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from llmobs.inject.pod import Container, EnvVar, Pod

Made = TypeVar("Made")


class Operation(msgspec.Struct, frozen=True, gc=False):
    """One operation of RFC 6902. We only ever ``add``, or ``replace`` one value that we are bound to extend."""

    op: str
    path: str
    value: Any


class Block(msgspec.Struct, frozen=True, gc=False):
    """Several additions to one list or map, as text made ready before the pod came.

    ``path`` is the list or map. To a list ``count`` items are appended, a map gets ``keys``; ``text`` is the operations.
    """

    path: str
    text: bytes
    count: int = 0
    keys: frozenset[str] = frozenset()


Change = Operation | Block


class Misfit(Exception):
    """An operation does not fit the pod: a mistake of ours, found before it did harm."""


def fragment(value: Any) -> msgspec.Raw:
    """``value`` as JSON, encoded once and sent many times."""
    return msgspec.Raw(msgspec.json.encode(value))


def pointer(*parts: str) -> str:
    """The JSON Pointer (RFC 6901) of ``parts``."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def appended(path: str, items: Sequence[Any], *, present: bool) -> list[Operation]:
    """Operations that put ``items`` at the end of the list at ``path``; where there is none yet (``present``), they make it."""
    if not items:
        return []
    if present:
        end = path + "/-"
        return [Operation("add", end, item) for item in items]
    return [Operation("add", path, list(items))]


class Appending(NamedTuple):
    """Items to append to a list whose place differs from pod to pod: the text around each mention of the place."""

    below: str
    before: tuple[bytes, ...]
    after: tuple[bytes, ...]
    """What follows the one value that differs from pod to pod too; empty where none does."""
    items: int

    def at(self, path: str, value: str = "") -> Block:
        """The operations for the list ``below`` this path, with the ``value`` that was left open."""
        place = path.encode()
        text = place.join(self.before)
        if self.after:
            text = b"%s%s%s" % (text, msgspec.json.encode(value), place.join(self.after))
        return Block(path + self.below, text, self.items)


OPEN = msgspec.Raw(b"\1")
"""Stands for the value that is only known when a pod comes. JSON text holds no such byte, nor the zero byte that stands for the place."""


def appending(below: str, items: Iterable[Any]) -> Appending:
    """``items`` ready to be appended to a list at ``below`` of some path that needs no escape; one value of theirs may be ``OPEN``."""
    values = [msgspec.json.encode(item) for item in items]
    texts = [b'{"op":"add","path":"\0%s/-","value":%s}' % (below.encode(), value) for value in values]
    before, _, after = b",".join(texts).partition(bytes(OPEN))
    return Appending(below, tuple(before.split(b"\0")), tuple(after.split(b"\0")) if after else (), len(values))


def entries(path: str, values: Mapping[str, str]) -> Block:
    """New keys with these values for the map at ``path``."""
    operations = [Operation("add", path + pointer(key), value) for key, value in values.items()]
    return Block(path, msgspec.json.encode(operations)[1:-1], keys=frozenset(values))


def encoded(operations: Iterable[Change]) -> bytes:
    """The patch as JSON."""
    texts = [item.text if type(item) is Block else msgspec.json.encode(item) for item in operations]
    return b"[%s]" % b",".join(filter(None, texts))


_REPLACEABLE = re.compile(r"/spec/(?:initC|c)ontainers/[0-9]+/env/[0-9]+/(?:name|value)|/metadata/(?:labels|annotations)/[^/]+")

_ITEMS = 32
"""Containers of a list whose places are written down once."""


def _places(path: str, index: int) -> tuple[str, str]:
    return f"{path}/{index}/env", f"{path}/{index}/volumeMounts"


_PLACES = {path: tuple(_places(path, index) for index in range(_ITEMS)) for path in ("/spec/containers", "/spec/initContainers")}


class Shape:
    """What of a pod patches may touch: the lengths of its lists and the keys of its maps; absent ones are ``None``."""

    def __init__(self, pod: Pod) -> None:
        meta, spec = pod.metadata, pod.spec
        self.maps: dict[str, Collection[str] | None] = {
            "/metadata/labels": meta.labels if meta else None,
            "/metadata/annotations": meta.annotations if meta else None,
        }
        self.lists: dict[str, int | None] = {}
        self.entries: dict[str, list[EnvVar]] = {}
        """The variables as they are found: those of lists in which nothing has moved."""
        if spec is None:
            return
        self.lists["/spec/volumes"] = _length(spec.volumes)
        self.lists["/spec/containers"] = _length(spec.containers)
        self.lists["/spec/initContainers"] = _length(spec.init_containers)
        self.lists["/spec/imagePullSecrets"] = _length(spec.image_pull_secrets)
        self._containers("/spec/containers", spec.containers or ())
        self._containers("/spec/initContainers", spec.init_containers or ())

    def _containers(self, path: str, containers: Sequence[Container]) -> None:
        places: Iterable[tuple[str, str]] = _PLACES[path]
        if len(containers) > _ITEMS:
            places = [_places(path, index) for index in range(len(containers))]
        for (env, mounts), container in zip(places, containers, strict=False):
            own = self.entries[env] = container.env or []
            self.lists[env] = len(own) if container.env is not None else None
            self.lists[mounts] = _length(container.volume_mounts)

    def take(self, operation: Change) -> None:
        """Take in one operation as the API server would. Raises :class:`Misfit`."""
        if isinstance(operation, Block):
            self._whole(operation)
            return
        path = operation.path
        parent, _, last = path.rpartition("/")
        if operation.op == "replace":
            self._replace(path, parent, last)
        elif parent in self.lists:
            self._insert(path, parent, last)
        elif path in self.lists:
            self.lists[path] = _fresh(path, self.lists[path], len(operation.value))
        elif path in self.maps:
            self.maps[path] = _fresh(path, self.maps[path], list(operation.value))
        else:
            self._set(path, parent, last)

    def _whole(self, block: Block) -> None:
        path = block.path
        if block.count:
            length = self.lists.get(path)
            if length is None:
                raise Misfit(f"add {path}/-: the list is absent")
            self.lists[path] = length + block.count
        if block.keys:
            keys = self.maps.get(path)
            if keys is None or not block.keys.isdisjoint(keys):
                raise Misfit(f"add below {path}: the map is absent, or a key is there already")
            self.maps[path] = {*keys, *block.keys}

    def _insert(self, path: str, parent: str, last: str) -> None:
        length = self.lists[parent]
        if length is not None and last == "-":
            self.lists[parent] = length + 1
            return
        if length is None or not last.isdecimal() or int(last) > length:
            raise Misfit(f"add {path}: the list is {'absent' if length is None else f'{length} long'}")
        self.lists[parent] = length + 1
        # What follows has moved up, so no path below this list means what it meant.
        self.lists = {known: size for known, size in self.lists.items() if not known.startswith(parent + "/")}
        self.entries = {known: own for known, own in self.entries.items() if not (known + "/").startswith(parent + "/")}

    def _set(self, path: str, parent: str, last: str) -> None:
        keys = self.maps.get(parent)
        if keys is not None and _key(last) not in keys:
            self.maps[parent] = {*keys, _key(last)}
            return
        entry = self._entry(parent)
        if last != "value" or entry is None or entry.value is not None:
            raise Misfit(f"add {path}: the parent is absent, or the value is there already")

    def _replace(self, path: str, parent: str, last: str) -> None:
        keys = self.maps.get(parent)
        entry = self._entry(parent)
        known = _key(last) in keys if keys is not None else entry is not None and (last == "name" or entry.value is not None)
        if not known or _REPLACEABLE.fullmatch(path) is None:
            raise Misfit(f"replace {path}: nothing is there that may be replaced")

    def _entry(self, path: str) -> EnvVar | None:
        parent, _, index = path.rpartition("/")
        own = self.entries.get(parent, [])
        return own[int(index)] if index.isdecimal() and int(index) < len(own) else None


def check(pod: Pod, operations: Iterable[Change]) -> None:
    """Raise :class:`Misfit` for the first operation that does not fit ``pod`` or would overwrite what it sets."""
    shape = Shape(pod)
    for operation in operations:
        shape.take(operation)


def _key(escaped: str) -> str:
    return escaped.replace("~1", "/").replace("~0", "~")


def _length(found: Sequence[object] | None) -> int | None:
    return None if found is None else len(found)


def _fresh(path: str, before: object, made: Made) -> Made:
    if before is not None:
        raise Misfit(f"add {path}: it is there already and would be lost")
    return made
