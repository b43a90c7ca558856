"""What the cluster holds of our kinds, as last seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Body = Mapping[str, Any]


class Key(NamedTuple):
    """Namespace and name; the namespace of cluster-wide kinds is empty."""

    namespace: str
    name: str


def key(body: Body) -> Key:
    """Where a resource is."""
    return Key(str(body["metadata"].get("namespace", "")), str(body["metadata"]["name"]))


@dataclass
class World:
    """Bodies by kind and place. Mutable, of one event loop; ``version`` grows with every change that matters to a plan."""

    bodies: dict[str, dict[Key, Body]] = field(default_factory=dict)
    labels: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of every namespace."""
    asks: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """What those namespaces ask other agents for whose annotations do."""
    version: int = 0
    _gone: set[str] = field(default_factory=set)
    """Uids of what was dropped since :meth:`begin`."""

    def of(self, kind: str) -> Mapping[Key, Body]:
        """Every resource of a kind."""
        return self.bodies.setdefault(kind, {})

    def put(self, body: Body) -> bool:
        """Remember a resource as it is now; whether its spec differs from what was known. News that is older than what is known is none."""
        known = self.bodies.setdefault(body["kind"], {})
        before = known.get(key(body))
        if before is not None and version(before) > version(body):
            return False
        known[key(body)] = body
        differs = essence(before) != essence(body)
        self.version += differs
        return differs

    def drop(self, kind: str, body: Body) -> bool:
        """Forget a resource; whether it was known."""
        self._gone.add(str(body["metadata"].get("uid")))
        gone = self.bodies.setdefault(kind, {}).pop(key(body), None) is not None
        self.version += gone
        return gone

    def begin(self) -> None:
        """A list is about to be asked for; from now on is remembered what its answer can't know of."""
        self._gone.clear()

    def replace(self, kind: str, bodies: Iterable[Body], *, at: str) -> None:
        """The whole truth about a kind as of the resourceVersion ``at``; what a watch has told since then stays."""
        known = self.bodies.get(kind, {})
        fresh = {key(body): body for body in bodies if str(body["metadata"].get("uid")) not in self._gone}
        later = {where: body for where, body in known.items() if version(body) > _number(at)}
        fresh |= later
        if {where: essence(body) for where, body in known.items()} != {where: essence(body) for where, body in fresh.items()}:
            self.version += 1
        self.bodies[kind] = fresh

    def ask(self, namespace: str, asks: Mapping[str, str]) -> bool:
        """Remember what a namespace asks other agents for; whether it differs."""
        before = self.asks.pop(namespace, {})
        if asks:
            self.asks[namespace] = asks
        return before != asks

    def name_labels(self, namespace: str, labels: Mapping[str, str] | None) -> bool:
        """Remember a namespace's labels, or with None forget it; whether they differ. Without a policy nothing may depend on them."""
        if self.labels.get(namespace) == labels:
            return False
        if labels is None:
            self.labels.pop(namespace, None)
        else:
            self.labels[namespace] = labels
        self.version += self.concerned(namespace)
        return True

    def concerned(self, namespace: str) -> bool:
        """Whether a plan depends on a namespace: it has a policy, or a fleet's defaults may apply without one."""
        own = any(where.namespace == namespace for where in self.of("LLMObservability"))
        return own or any(_applies(body) for body in self.of("ClusterLLMObservability").values())


def _applies(body: Body) -> bool:
    return bool((body.get("spec") or {}).get("withoutPolicy") == "Apply")


def essence(body: Body | None) -> tuple[Any, ...]:
    """What of a resource matters to a plan; status and labels do not."""
    meta = (body or {}).get("metadata") or {}
    return (meta.get("uid"), meta.get("generation"), meta.get("deletionTimestamp"))


def version(body: Body) -> int:
    """The resourceVersion, by which two states of one resource are compared; 0 where there is none."""
    return _number(str(body["metadata"].get("resourceVersion", "")))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
