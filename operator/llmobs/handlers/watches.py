"""What is watched, and which task an event asks for.

kopf watches our resources and the namespaces. Where only some namespaces are watched, these and their policies are followed one by
one instead. Objects that we made and pods are only noticed: of them nothing is kept, and those of the operator's own namespace are
watched there alone, so that no right beyond it is needed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Container, Iterator
from functools import partial
from typing import Any

import kopf

from llmobs.api import names
from llmobs.cluster.client import Access, Manifest
from llmobs.cluster.kinds import ADMISSION_KINDS, FLEET, FLEET_KINDS, NAMESPACE, POD, POLICY, PRICES, Resource, policy_kinds
from llmobs.cluster.live import ADMISSION, owner
from llmobs.cluster.live import FLEET as OWNER
from llmobs.cluster.watch import follow, notice
from llmobs.handlers import context as tasks
from llmobs.handlers.context import Context
from llmobs.handlers.world import Key, key
from llmobs.inject.agents import asked_around

SETTLE = 0.3
"""Seconds for which events of one resource are gathered."""
GATHER = 1.0
"""Seconds of quiet that events which concern the whole fleet wait for: many edits, one rollout."""
PODS = 2.0
"""Seconds for which pods of one policy are gathered: a rollout starts many."""

Event = dict[str, Any]
Seen = Callable[[Context, Event], None]


class Backoffs:
    """Pauses between tries of a request, with jitter: replicas and operators must not come back all at once."""

    def __iter__(self) -> Iterator[float]:
        """1 s, doubling to 20 s; 8 tries."""
        return (min(20.0, 2.0**attempt) * random.uniform(0.5, 1.0) for attempt in range(8))


def settings() -> kopf.OperatorSettings:
    """Settings of kopf without anything it would write: no peering, no Events, no finalizers, no state kept on objects."""
    made = kopf.OperatorSettings()
    made.peering.standalone = True
    made.posting.enabled = False
    made.scanning.disabled = True
    made.watching.chunk_size = 500
    made.watching.connect_timeout = 10
    made.networking.connect_timeout = 5
    made.networking.request_timeout = 30
    made.networking.error_backoffs = Backoffs()
    made.queueing.exit_timeout = 20
    made.queueing.idle_timeout = 1.0
    made.process.ultimate_exiting_timeout = 25
    made.execution.max_workers = 4
    made.persistence.finalizer = f"{names.GROUP}/unused"
    return made


def registry(context: Context) -> kopf.OperatorRegistry:
    """One handler per kind."""
    made = kopf.OperatorRegistry()
    for kind in (FLEET, PRICES) if context.settings.watch.namespaces else (POLICY, FLEET, PRICES):
        _on(made, context, kind, resource_seen)
    if not context.settings.watch.namespaces:
        _on(made, context, NAMESPACE, namespace_seen)

    @kopf.on.login(registry=made)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return connection(await context.client.access())

    return made


def _on(made: kopf.OperatorRegistry, context: Context, kind: Resource, seen: Seen) -> None:
    @kopf.on.event(kind.api_version, kind.plural, registry=made, id=kind.plural)
    async def handle(event: Any, **_: Any) -> None:
        _tell(context, kind, seen, event["type"], event["object"])


def _tell(context: Context, kind: Resource, seen: Seen, event: str, body: Manifest) -> None:
    context.metrics.watch.labels(kind.kind).set_to_current_time()
    seen(context, {"type": event, "object": {**body, "apiVersion": kind.api_version, "kind": kind.kind}})


def connection(access: Access) -> kopf.ConnectionInfo:
    """The client's credentials as kopf takes them."""
    return kopf.ConnectionInfo(
        server=access.server,
        scheme=access.scheme,
        token=access.token,
        ca_path=access.ca_path,
        ca_data=access.ca_data,
        certificate_path=access.certificate,
        private_key_path=access.key,
        insecure=access.insecure,
    )


def resource_seen(context: Context, event: Event) -> None:
    """One of our resources: remember it; when its spec is new, look at it and at the fleet."""
    body = event["object"]
    kind, where = body["kind"], key(body)
    gone = event["type"] == "DELETED"
    changed = context.world.drop(kind, body) if gone else context.world.put(body)
    if not changed:
        return
    context.gather(tasks.FLEET, GATHER)
    if kind != POLICY.kind:
        context.ask_all(GATHER)
        return
    # its neighbours too: who wins a pod may be another one now
    for sibling in {where, *(known for known in context.world.of(kind) if known.namespace == where.namespace)}:
        context.ask(tasks.policy(sibling), SETTLE)


def namespace_seen(context: Context, event: Event) -> None:
    """A namespace: its labels decide which fleet resource governs it and whether its pods are opted in; annotations, whose they are."""
    meta = event["object"]["metadata"]
    labels = None if event["type"] == "DELETED" else meta.get("labels") or {}
    asks_anew = context.world.ask(meta["name"], {} if labels is None else asked_around(meta.get("annotations") or {}))
    if not context.world.name_labels(meta["name"], labels) and not asks_anew:
        return
    concerned = [where for where in context.world.of(POLICY.kind) if where.namespace == meta["name"]]
    for where in concerned:
        context.ask(tasks.policy(where), SETTLE)
    if context.world.concerned(meta["name"]):
        context.gather(tasks.FLEET, GATHER)


async def followed(context: Context) -> None:
    """Follow policies and namespaces where only some namespaces are watched, for ever. kopf would end with the first that is gone."""
    async with asyncio.TaskGroup() as group:
        for place in context.settings.watch.namespaces:
            for kind, seen in ((POLICY, resource_seen), (NAMESPACE, namespace_seen)):
                tell = partial(_tell, context, kind, seen)
                group.create_task(follow(context.client, kind, listed=partial(_listed, tell), changed=tell, place=place))


def _listed(tell: Callable[[str, Manifest], None], bodies: list[Manifest]) -> None:
    for body in bodies:
        tell("ADDED", body)


async def noticed(context: Context) -> None:
    """Notice objects of ours and injected pods, for ever."""
    ours = f"{names.MANAGED_BY}={names.OPERATOR}"
    async with asyncio.TaskGroup() as group:
        of_policies = policy_kinds(dedicated=context.settings.dedicated.enabled)
        native = ADMISSION_KINDS if context.settings.admission.native else ()
        for kind in dict.fromkeys((*FLEET_KINDS, *of_policies, *native)):
            tell, missed = partial(child_seen, context), partial(children_missed, context)
            for place in _places(context, kind, of_policies):
                group.create_task(notice(context.client, kind, labels=ours, namespace=place, tell=tell, missed=missed))
        injected = f"{names.INJECTED}=true"
        pods_missed = partial(context.ask_all, PODS)
        for place in context.settings.watch.places:
            seen = partial(pod_seen, context)
            group.create_task(notice(context.client, POD, labels=injected, namespace=place, tell=seen, missed=pods_missed))


def _places(context: Context, kind: Resource, of_policies: Container[Resource]) -> tuple[str, ...]:
    """Where objects of ours of a kind may be."""
    own = (context.namespace,) if kind in FLEET_KINDS else ()
    watched = context.settings.watch.places if kind in of_policies else ()
    return ("",) if "" in watched or not kind.namespaced else tuple(dict.fromkeys((*watched, *own)))


def child_seen(context: Context, event: str, body: Manifest) -> None:
    """An object of ours: whatever happened to it, look whether it is still as it should be."""
    context.metrics.watch.labels("Children").set_to_current_time()
    made_for = owner(body)
    where = context.uids().get(made_for)
    if made_for in (OWNER, ADMISSION):
        context.gather(tasks.FLEET, SETTLE)
    elif where is not None and event in ("MODIFIED", "DELETED"):
        context.settled.forget(made_for)
        context.ask(tasks.policy(where), SETTLE)


def children_missed(context: Context) -> None:
    """Changes of our objects went by unseen: look at all of them."""
    context.settled.clear()
    context.gather(tasks.FLEET, SETTLE)
    context.ask_all(SETTLE)


def pod_seen(context: Context, event: str, pod: Manifest) -> None:
    """A pod that carries a policy's name came or went: look soon how the policy fares."""
    first, _, name = str((pod["metadata"].get("annotations") or {}).get(names.POLICY, "")).partition("/")
    if event in ("ADDED", "DELETED") and first:
        # a fleet's defaults are named without a namespace
        own = tasks.policy(Key(first, name)) if name else tasks.stand_in(str(pod["metadata"]["namespace"]))
        context.ask(own, PODS)
