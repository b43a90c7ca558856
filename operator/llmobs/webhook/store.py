"""What admission knows: namespaces with their compiled policies, kept up to date by a source, read by every request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from llmobs.api import effective, kinds, memory
from llmobs.api.effective import Fleet, Policy
from llmobs.inject.agents import asked_around
from llmobs.inject.compiled import CompiledPolicy, Platform, compiled
from llmobs.inject.qos import KubernetesVersion
from llmobs.inject.ranges import Ranges, ranges
from llmobs.inject.select import NEWEST, Namespace, namespace
from llmobs.kit.errors import Invalid
from llmobs.webhook.kept import Body, recalled, slim
from llmobs.webhook.trust import Published
from llmobs.webhook.turns import Work, at_once

NAMESPACE = "Namespace"
LIMIT_RANGE = "LimitRange"
QUOTA = "ResourceQuota"
POLICY = kinds.POLICY.kind
FLEET = kinds.FLEET.kind
KINDS = (NAMESPACE, LIMIT_RANGE, QUOTA, FLEET, POLICY)
"""The kinds a source feeds; policies last, so that they are compiled once."""
CORE = frozenset({NAMESPACE, LIMIT_RANGE, QUOTA})
"""Those of them that are Kubernetes' own."""

_RANGES = (LIMIT_RANGE, QUOTA)
_NAMESPACED = (POLICY, *_RANGES)

_NAME_LABEL = "kubernetes.io/metadata.name"


class Place(NamedTuple):
    """Where a resource is; ``namespace`` is empty for kinds that have none."""

    kind: str
    namespace: str
    name: str

    @property
    def within(self) -> str:
        """The namespace that it is in, or is."""
        return self.name if self.kind == NAMESPACE else self.namespace

    def __str__(self) -> str:
        """As a person writes it: ``LLMObservability team-a/checkout``."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Source(Protocol):
    """Keeps a store up to date until it is cancelled; an exception ends the process."""

    async def run(self, store: Store) -> None:
        """Call ``store.replace`` once for each of ``KINDS`` and its places, from then on that, ``put`` and ``remove``."""


class Store:
    """Mutable, of one event loop. Requests only ever see whole namespaces, which are replaced, never changed.

    What concerns many namespaces is done one by one, when ``schedule`` lets it. A resource that is invalid stands in ``problems``
    and is told to ``refused`` once; what it said before keeps applying, under the ceilings of today.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        version: KubernetesVersion = NEWEST,
        refused: Callable[[Place, Invalid], None] | None = None,
        schedule: Callable[[Work], None] = at_once,
    ) -> None:
        self._refused = refused
        self._schedule = schedule
        self.published: tuple[Published, ...] = ()
        """How the API server calls us, where the source knows."""
        self.look: Callable[[], Awaitable[None]] | None = None
        """Makes the source bring that up to date."""
        self.problems: dict[Place, Invalid] = {}
        self._platform = platform
        self._version = version
        self._bodies: dict[str, dict[Place, Body]] = {kind: {} for kind in KINDS}
        self._missing = {(kind, where) for kind in KINDS for where in self.places(kind)}
        """What has not been listed yet."""
        self._fleets: dict[Place, Fleet] = {}
        self._good: dict[Place, Policy] = {}
        self._compiled: dict[Place, tuple[Policy, CompiledPolicy]] = {}
        self._stand_ins: dict[str, tuple[Policy, CompiledPolicy]] = {}
        self._ranges: dict[str, Ranges] = {}
        self._namespaces: dict[str, Namespace] = {}
        self._due: dict[str, None] = {}
        """Namespaces that are to be made anew; one that a request asks for before its turn is made then."""
        self._scheduled = False
        self._ceilings: tuple[Fleet, ...] = ()
        self._policies: dict[str, dict[Place, None]] = {}
        """Where the policies of each namespace are."""

    @property
    def synced(self) -> bool:
        """Whether every kind has been listed, so that an answer is founded."""
        return not self._missing

    def places(self, kind: str) -> tuple[str, ...]:
        """The namespaces in which to look for a kind; the empty name stands for everywhere."""
        return ("",) if kind == FLEET else self._platform.settings.watch.places

    def lacks(self, kind: str, place: str) -> bool:
        """Whether a kind was never listed in a place."""
        return (kind, place) in self._missing

    @property
    def policies(self) -> int:
        """Number of compiled policies."""
        return len(self._compiled)

    def namespace(self, name: str) -> Namespace:
        """What applies in a namespace; nothing in one that is not known."""
        if name in self._due:
            self._renew(name)
        return self._namespaces.get(name) or Namespace(name, version=self._version)

    def served_by(self, version: KubernetesVersion) -> None:
        """Note the API server's version."""
        if version != self._version:
            self._version = version
            self._rebuild_all()

    def replace(self, kind: str, bodies: Iterable[Body], *, place: str = "") -> None:
        """The whole truth about a kind, or about it in one namespace."""
        living = (body for body in bodies if not (body.get("metadata") or {}).get("deletionTimestamp"))
        found = {location(kind, body): slim(body) for body in living}
        before = {where: body for where, body in self._bodies[kind].items() if place in ("", where.within)}
        others = {where: body for where, body in self._bodies[kind].items() if where not in before}
        first = not self.synced
        self._missing -= {(kind, where) for where in ([place] if place else self.places(kind))}
        changed = [where for where in {**before, **found} if before.get(where) != found.get(where)]
        self._bodies[kind] = {**others, **found}
        for where in changed:
            self._note(where)
        self._forget_gone()
        if first and self.synced:
            self._read_ranges({where.namespace for known in _RANGES for where in self._bodies[known]})
            self._rebuild_all()
        elif changed:
            self._rebuild(*changed)

    def put(self, kind: str, body: Body) -> None:
        """A resource is new or has changed; one that is being deleted counts as gone."""
        where = location(kind, body)
        if (body.get("metadata") or {}).get("deletionTimestamp"):
            self.remove(kind, name=where.name, namespace=where.namespace)
        elif self._bodies[kind].get(where) != (kept := slim(body)):
            self._bodies[kind][where] = kept
            self._note(where)
            self._rebuild(where)

    def remove(self, kind: str, *, name: str, namespace: str = "") -> None:
        """A resource is gone."""
        where = Place(kind, namespace, name)
        if self._bodies[kind].pop(where, None) is not None:
            self._note(where)
            self._forget_gone()
            self._rebuild(where)

    def _forget_gone(self) -> None:
        for known_by in (self._fleets, self._good, self._compiled, self.problems):
            for where in [known for known in known_by if known not in self._bodies[known.kind]]:
                del known_by[where]

    def _note(self, where: Place) -> None:
        if where.kind == POLICY:
            own = self._policies.setdefault(where.namespace, {})
            if where in self._bodies[POLICY]:
                own[where] = None
            else:
                own.pop(where, None)

    def _rebuild(self, *places: Place) -> None:
        """Make anew what depends on resources of one kind: a single namespace at once, several in turns."""
        if places[0].kind in _RANGES:
            self._read_ranges({where.namespace for where in places})
        if places[0].kind == FLEET:
            self._rebuild_all()
        elif self.synced:
            names = {where.name if where.kind == NAMESPACE else where.namespace for where in places}
            self._due |= dict.fromkeys(names)
            if len(names) == 1:
                self._renew(*names)
            else:
                self._proceed()

    def _rebuild_all(self) -> None:
        if not self.synced:
            return
        self._ceilings = self._accepted_fleets()
        self._due |= dict.fromkeys([*self._namespaces, *(where.name for where in self._bodies[NAMESPACE]), *self._policies])
        self._proceed()

    def _proceed(self) -> None:
        if self._due and not self._scheduled:
            self._scheduled = True
            self._schedule(self._renew_next)

    def _renew_next(self) -> bool:
        if self._due:
            self._renew(next(iter(self._due)))
        self._scheduled = bool(self._due)
        return self._scheduled

    def _renew(self, name: str) -> None:
        self._due.pop(name, None)
        own = self._policies.get(name)
        if own or Place(NAMESPACE, "", name) in self._bodies[NAMESPACE]:
            self._namespaces[name] = self._made(name, own or (), self._ceilings)
        else:
            self._namespaces.pop(name, None)
            self._policies.pop(name, None)

    def _accepted_fleets(self) -> tuple[Fleet, ...]:
        for where, body in self._bodies[FLEET].items():
            try:
                self._fleets[where] = effective.fleet(body)
                self.problems.pop(where, None)
            except Invalid as invalid:
                self._refuse(where, invalid)
                if where not in self._fleets and (kept := recalled(body)) is not None:
                    self._fleets[where] = kept
        return tuple(self._fleets.values())

    def _made(self, name: str, own: Iterable[Place], fleets: tuple[Fleet, ...]) -> Namespace:
        body = self._bodies[NAMESPACE].get(Place(NAMESPACE, "", name), {})
        meta = body.get("metadata") or {}
        labels, asks = {_NAME_LABEL: name, **(meta.get("labels") or {})}, asked_around(meta.get("annotations") or {})
        places = list(own)
        found = [self._ready(where, fleets, labels) for where in places] if places else [self._stand_in(name, fleets, labels)]
        return namespace(name, labels, filter(None, found), version=self._version, ranges=self._ranges.get(name), asks=asks)

    def _stand_in(self, name: str, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> CompiledPolicy | None:
        """The defaults of a fleet, compiled once for all namespaces in which they are the same."""
        try:
            policy = effective.stand_in(name, fleets, labels)
        except Invalid:  # such as a destination that this namespace may not use; nobody is to be told here
            return None
        if policy is None:
            return None
        known = self._stand_ins.get(policy.key)
        if known is None or (known[0].identity.revision, known[0].spec) != (policy.identity.revision, policy.spec):
            known = self._stand_ins[policy.key] = (policy, compiled(policy, self._platform))
        return known[1]

    def _read_ranges(self, names: Collection[str]) -> None:
        found: dict[str, list[Body]] = {name: [] for name in names}
        for where, body in sorted(item for kind in _RANGES for item in self._bodies[kind].items() if item[0].namespace in found):
            try:
                ranges([body])
            except Invalid as invalid:  # the API server lets no such through, a file may
                self._refuse(where, invalid)
                continue
            self.problems.pop(where, None)
            found[where.namespace].append(body)
        self._ranges |= {name: ranges(bodies) for name, bodies in found.items()}

    def _ready(self, where: Place, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> CompiledPolicy | None:
        policy = self._policy(where, fleets, labels)
        if policy is None:
            return None
        known = self._compiled.get(where)
        if known is None or known[0] != policy:
            known = self._compiled[where] = (policy, compiled(policy, self._platform))
        return known[1]

    def _policy(self, where: Place, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> Policy | None:
        try:
            self._good[where] = effective.policy(self._bodies[POLICY][where], fleets, labels)
            self.problems.pop(where, None)
            return self._good[where]
        except Invalid as invalid:
            self._refuse(where, invalid)
        good = self._good.get(where)
        if good is not None:
            return effective.standing(good, fleets, labels)
        kept = memory.remembered(self._bodies[POLICY][where])
        return None if kept is None else effective.recalled(kept, fleets, labels)

    def _refuse(self, where: Place, invalid: Invalid) -> None:
        known, self.problems[where] = self.problems.get(where), invalid
        if self._refused and (known is None or str(known) != str(invalid)):
            self._refused(where, invalid)


def location(kind: str, body: Body) -> Place:
    """Where a resource is. Raises :class:`Invalid` without a name; a policy without a namespace lives in ``default``."""
    found = effective.identity(body, namespace="default" if kind in _NAMESPACED else "")
    return Place(kind, found.namespace if kind in _NAMESPACED else "", found.name)
