"""What every reconciliation works with: the connection, the settings, and what was last read of the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import NamedTuple

from llmobs.api.conditions import Finding
from llmobs.api.settings import Settings
from llmobs.api.v1alpha1.status import Instrumentation
from llmobs.api.workload import Workload
from llmobs.cluster.client import Client
from llmobs.cluster.events import Recorder
from llmobs.cluster.installation import Owners
from llmobs.cluster.workloads import Restarts
from llmobs.handlers.reader import Reader, View
from llmobs.handlers.settled import Settled
from llmobs.handlers.world import Key, World
from llmobs.inject.select import Namespace
from llmobs.plan.findings import Pods, Spend, worst
from llmobs.plan.inputs import Facts
from llmobs.plan.retry import Wait
from llmobs.telemetry.controller import Metrics


class Applied(NamedTuple):
    """How a fleet's defaults fare in one namespace."""

    fleet: str
    pods: Pods
    findings: tuple[Finding, ...]
    instrumentation: Instrumentation
    looping: tuple[str, ...]
    """Workloads that were seen to crash-loop without instrumentation."""


class Task(NamedTuple):
    """A key of the queue: what to do, and for a policy which one."""

    kind: str
    where: Key = Key("", "")


REFRESH, FLEET, HEALTH, CERTIFICATES = Task("Refresh"), Task("Fleet"), Task("Health"), Task("Certificates")
VERDICTS = Task("Verdicts")


def policy(where: Key) -> Task:
    """The task of one LLMObservability."""
    return Task("Policy", where)


def stand_in(namespace: str) -> Task:
    """The task of a namespace in which a fleet's defaults apply."""
    return Task("StandIn", Key(namespace, ""))


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(tz=UTC)


def text(moment: datetime) -> str:
    """RFC 3339, to the second."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Context:
    """Mutable, of one event loop."""

    client: Client
    settings: Settings
    namespace: str
    reader: Reader
    recorder: Recorder
    metrics: Metrics
    ask: Callable[[Task, float], None]
    """Put a task into the queue, due in so many seconds."""
    gather: Callable[[Task, float], None]
    """Put a task into the queue, due when nobody has asked for it for so many seconds; a steady stream does not put it off for ever."""
    world: World = field(default_factory=World)
    facts: Facts = field(default_factory=Facts)
    owners: Owners = field(default_factory=dict)
    spend: Spend = field(default_factory=Spend)
    webhook: str | None = None
    """What keeps admission from working; None: nothing."""
    planned: tuple[Finding, ...] = ()
    """How the fleet's objects fared when they were last applied."""
    gateway: Finding | None = None
    """How the gateway is doing."""
    planned_for: int = -1
    """The version of the world for which the fleet's objects were last applied."""
    waiting: set[Key] = field(default_factory=set)
    """Policies whose status waits until the fleet's objects are those of their newest spec."""
    refreshed: datetime | None = None
    restarts: Restarts = field(default_factory=Restarts)
    looping: set[tuple[str, Workload]] = field(default_factory=set)
    """Workloads, with their namespaces, that were seen to crash-loop without instrumentation."""
    recalled: set[tuple[str, str]] = field(default_factory=set)
    """Namespaces with keys of policies whose status was read for what an earlier process saw crash-loop."""
    waits: dict[tuple[str, Workload], Wait | None] = field(default_factory=dict)
    """By namespace and workload what those waited for that are rolled back; None where that was no image of ours."""
    had: dict[tuple[str, ...], datetime] = field(default_factory=dict)
    """Our images -> when the newest pod was created that started with them."""
    tried: dict[tuple[str, ...], datetime] = field(default_factory=dict)
    """Our images -> when a workload was last instrumented again without such a sign."""
    places: dict[str, tuple[View, Namespace]] = field(default_factory=dict)
    """Compiled namespaces, with the view they were compiled from."""
    applied: dict[str, Applied] = field(default_factory=dict)
    """By namespace, how a fleet's defaults fare that apply there."""
    told: dict[tuple[str, Workload, str], datetime] = field(default_factory=dict)
    """By namespace, workload and reason, when an Event last said why its pods are left alone."""
    settled: Settled = field(default_factory=Settled)

    _uids: tuple[int, Mapping[str, Key]] = (-1, MappingProxyType({}))

    def view(self) -> View:
        """The world as it is now, parsed."""
        return self.reader.view(self.world, self.facts)

    @property
    def watched(self) -> tuple[str, ...]:
        """The namespaces in which policies and their objects are looked for; the empty name stands for everywhere."""
        return tuple(place for place in self.settings.watch.places if place not in self.facts.absent)

    def shared(self) -> tuple[Finding, ...]:
        """What the fleet means for every policy: one finding per condition."""
        gateway = () if self.gateway is None else (self.gateway,)
        return tuple(worst([*gateway, *self.planned]).values())

    def ask_waiting(self) -> None:
        """Ask for the policies that wait for the fleet."""
        for where in self.waiting:
            self.ask(policy(where), 0.0)
        self.waiting.clear()

    def uids(self) -> Mapping[str, Key]:
        """Where the LLMObservability with a uid is."""
        if self._uids[0] != self.world.version:
            found = {str(body["metadata"]["uid"]): where for where, body in self.world.of("LLMObservability").items()}
            self._uids = (self.world.version, found)
        return self._uids[1]

    def ask_all(self, delay: float = 0.0) -> None:
        """Ask for every policy, and for every namespace in which a fleet's defaults apply."""
        for where in self.world.of("LLMObservability"):
            self.ask(policy(where), delay)
        for namespace in {*self.applied, *(item.identity.namespace for item in self.view().inputs.stand_ins)}:
            self.ask(stand_in(namespace), delay)
