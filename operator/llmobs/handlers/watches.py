"""kopf as the watch engine: it lists, watches and survives; all it does with an event is to put a task into the queue."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import kopf

from llmobs.api import names
from llmobs.cluster.client import Access
from llmobs.cluster.kinds import FLEET, FLEET_KINDS, NAMESPACE, POD, POD_MONITOR, POLICY, PRICES, PROMETHEUS_RULE, Resource
from llmobs.cluster.live import FLEET as OWNER
from llmobs.cluster.live import owner
from llmobs.cluster.watch import notice
from llmobs.handlers import context as tasks
from llmobs.handlers.context import Context
from llmobs.handlers.world import Key, key

SETTLE = 0.3
"""Seconds for which events of one resource are gathered."""
GATHER = 1.0
"""Seconds for which events that concern the whole fleet are gathered: many edits, one rollout."""
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
    for kind in FLEET_KINDS:
        made.watching.label_selectors[kind.api_version, kind.plural] = f"{names.MANAGED_BY}={names.OPERATOR}"
    return made


def registry(context: Context, *, prometheus: bool) -> kopf.OperatorRegistry:
    """One handler per kind; ``prometheus`` says whether prometheus-operator's kinds can be watched."""
    made = kopf.OperatorRegistry()
    for kind in (POLICY, FLEET, PRICES):
        _on(made, context, kind, resource_seen)
    _on(made, context, NAMESPACE, namespace_seen)
    for kind in FLEET_KINDS:
        if prometheus or kind not in (PROMETHEUS_RULE, POD_MONITOR):
            _on(made, context, kind, child_seen)

    @kopf.on.login(registry=made)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return connection(await context.client.access())

    return made


def _on(made: kopf.OperatorRegistry, context: Context, kind: Resource, seen: Seen) -> None:
    @kopf.on.event(kind.api_version, kind.plural, registry=made, id=kind.plural)
    async def handle(event: Any, **_: Any) -> None:
        context.metrics.watch.labels(kind.kind).set_to_current_time()
        body = {**event["object"], "apiVersion": kind.api_version, "kind": kind.kind}
        seen(context, {"type": event["type"], "object": body})


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
    changed = context.world.drop(kind, where) if gone else context.world.put(body)
    if not changed:
        return
    context.ask(tasks.FLEET, GATHER)
    if kind == POLICY.kind:
        context.ask(tasks.policy(where), SETTLE)
    else:
        context.ask_all(GATHER)


def namespace_seen(context: Context, event: Event) -> None:
    """A namespace: its labels decide which fleet resource governs it and whether its pods are opted in."""
    meta = event["object"]["metadata"]
    labels = None if event["type"] == "DELETED" else meta.get("labels") or {}
    if not context.world.name_labels(meta["name"], labels):
        return
    concerned = [where for where in context.world.of(POLICY.kind) if where.namespace == meta["name"]]
    for where in concerned:
        context.ask(tasks.policy(where), SETTLE)
    if concerned:
        context.ask(tasks.FLEET, GATHER)


def child_seen(context: Context, event: Event) -> None:
    """An object of ours: whatever happened to it, look whether it is still as it should be."""
    made_for = owner(event["object"])
    if made_for == OWNER:
        context.ask(tasks.FLEET, SETTLE)
        return
    where = context.uids().get(made_for)
    if where is not None and event["type"] is not None:
        context.settled.pop(made_for, None)
        context.ask(tasks.policy(where), SETTLE)


async def pods_noticed(context: Context) -> NoReturn:
    """Look at a policy soon after pods that carry its name came or went."""

    def tell(event: str, pod: dict[str, Any]) -> None:
        namespace, _, name = str((pod["metadata"].get("annotations") or {}).get(names.POLICY, "")).partition("/")
        if event in ("ADDED", "DELETED") and name:
            context.ask(tasks.policy(Key(namespace, name)), PODS)

    await notice(context.client, POD, labels=f"{names.INJECTED}=true", tell=tell)
