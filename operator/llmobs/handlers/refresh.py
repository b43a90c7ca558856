"""Read everything anew: the slow truth beside the watches, so that whatever was missed is made good."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llmobs.cluster.client import Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.facts import facts
from llmobs.cluster.installation import owners
from llmobs.cluster.kinds import FLEET as FLEETS
from llmobs.cluster.kinds import NAMESPACE, POLICY, PRICES, Ref, policy_kinds, within
from llmobs.cluster.live import live
from llmobs.cluster.prune import orphans, prune
from llmobs.cluster.spend import read
from llmobs.handlers.context import CERTIFICATES, FLEET, Context, now, text
from llmobs.inject.agents import asked_around
from llmobs.kit.durations import seconds

logger = logging.getLogger(__name__)

OBJECTS_EVERY = 600.0
"""Seconds after which the objects of policies are looked at again even if no watch told of a change."""


async def refresh(context: Context) -> float:
    """Read resources, namespaces, facts and spend; then ask for everything. Returns when to come again, in seconds."""
    context.world.begin()
    for kind in (FLEETS, PRICES):
        bodies, at = await context.client.list(kind)
        context.world.replace(kind.kind, bodies, at=at)
    absent = await _policies(context, await _namespaces(context), newest=at)
    context.facts = replace(await facts(context.client, context.namespace), absent=absent)
    await _own(context)
    context.spend = await read(context.settings.prometheus.url, at=text(now()))
    context.metrics.prometheus.set(context.spend.problem is None)
    await _objects(context)
    context.metrics.resync.set(now().timestamp())
    context.ask(CERTIFICATES, 0.0)
    context.ask(FLEET, 0.0)
    context.ask_all()
    return max(1.0, min(seconds(context.settings.resync), context.reader.due()))


async def _namespaces(context: Context) -> tuple[str, ...]:
    """Read the labels and annotations of namespaces; returns those that are to be watched and do not exist."""
    found: list[Manifest] = []
    for place in context.settings.watch.places:
        found += (await context.client.list(NAMESPACE, **within(NAMESPACE, place)))[0]
    _name(context, {item["metadata"]["name"]: item["metadata"] for item in found})
    return tuple(name for name in context.settings.watch.namespaces if name not in context.world.labels)


async def _policies(context: Context, absent: tuple[str, ...], *, newest: str) -> tuple[str, ...]:
    """Read the policies of every namespace but those that are ``absent``; returns these and those that may not be looked at.

    ``newest`` is the version of the cluster just before.
    """
    bodies: list[Manifest] = []
    versions: list[str] = []
    barred: list[str] = []
    for place in (place for place in context.settings.watch.places if place not in absent):
        try:
            found, at = await context.client.list(POLICY, namespace=place)
        except Refused as refused:
            if not place or refused.status != 403:
                raise
            # with a namespace its Role goes, and does not come back with it: that must not keep the others from being served
            logger.warning("namespace %s is not served, install the chart anew or leave it out of watch.namespaces: %s", place, refused)
            context.metrics.errors.labels("Refresh", "Barred").inc()
            barred.append(place)
            continue
        bodies += found
        versions.append(at)
    context.world.replace(POLICY.kind, bodies, at=min(versions, key=int, default=newest))
    return (*absent, *barred)


def _name(context: Context, namespaces: Mapping[str, Mapping[str, Any]]) -> None:
    for gone in context.world.labels.keys() - namespaces.keys():
        context.world.name_labels(gone, None)
        context.world.ask(gone, {})
    for name, meta in namespaces.items():
        context.world.name_labels(name, meta.get("labels") or {})
        context.world.ask(name, asked_around(meta.get("annotations") or {}))


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
    found: dict[Ref, Manifest] = {}
    for place in context.watched:
        kinds = policy_kinds(dedicated=context.settings.dedicated.enabled)
        found |= await live(context.client, kinds, namespace=place, prometheus=prometheus)
    deleted = await prune(context.client, orphans(found, context.uids().keys()), frozenset())
    context.metrics.writes.labels("children", "delete").inc(deleted)
    context.settled.clear()
    context.refreshed = moment
