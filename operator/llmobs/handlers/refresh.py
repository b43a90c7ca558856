"""Read everything anew: the slow truth beside the watches, so that whatever was missed is made good."""

from __future__ import annotations

from llmobs.cluster.facts import facts
from llmobs.cluster.installation import owners
from llmobs.cluster.kinds import NAMESPACE, OURS, policy_kinds
from llmobs.cluster.live import live
from llmobs.cluster.prune import orphans, prune
from llmobs.cluster.spend import read
from llmobs.handlers.context import CERTIFICATES, FLEET, Context, now, text
from llmobs.kit.durations import seconds

OBJECTS_EVERY = 600.0
"""Seconds after which the objects of policies are looked at again even if no watch told of a change."""


async def refresh(context: Context) -> float:
    """Read resources, namespaces, facts and spend; then ask for everything. Returns when to come again, in seconds."""
    context.world.begin()
    for kind in OURS:
        bodies, at = await context.client.list(kind)
        context.world.replace(kind.kind, bodies, at=at)
    namespaces, _ = await context.client.list(NAMESPACE)
    _name(context, {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces})
    context.facts = await facts(context.client, context.namespace)
    await _own(context)
    context.spend = await read(context.settings.prometheus.url, at=text(now()))
    context.metrics.prometheus.set(context.spend.problem is None)
    await _objects(context)
    context.metrics.resync.set(now().timestamp())
    context.ask(CERTIFICATES, 0.0)
    context.ask(FLEET, 0.0)
    context.ask_all()
    return max(1.0, min(seconds(context.settings.resync), context.reader.due()))


def _name(context: Context, labels: dict[str, dict[str, str]]) -> None:
    for gone in context.world.labels.keys() - labels.keys():
        context.world.name_labels(gone, None)
    for name, found in labels.items():
        context.world.name_labels(name, found)


async def _own(context: Context) -> None:
    found = await owners(context.client, context.namespace)
    # once owners were known, their absence means that the chart is being uninstalled: what is made now must go with it
    context.owners = {**context.owners, **found}


async def _objects(context: Context) -> None:
    """Now and then: forget that anything is in place, and delete what was made for resources that are gone."""
    moment = now()
    # a clock that was set back counts as time that went by, or nothing would be looked at until it is the same time again
    if context.refreshed is not None and 0 <= (moment - context.refreshed).total_seconds() < OBJECTS_EVERY:
        return
    prometheus = context.facts.prometheus_operator is not False
    found = await live(context.client, policy_kinds(dedicated=context.settings.dedicated.enabled), prometheus=prometheus)
    deleted = await prune(context.client, orphans(found, context.uids().keys()), frozenset())
    context.metrics.writes.labels("children", "delete").inc(deleted)
    context.settled.clear()
    context.refreshed = moment
