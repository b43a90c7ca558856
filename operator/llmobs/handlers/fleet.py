"""What exists once per cluster: the gateway, the fleet's rules and dashboards; and the verdicts on cluster-wide resources."""

from __future__ import annotations

import logging

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.memory import noted
from llmobs.cluster import hashkey
from llmobs.cluster.errors import Refused
from llmobs.cluster.gateway import rollout
from llmobs.cluster.installation import broken
from llmobs.cluster.kinds import FLEET, FLEET_KINDS, POLICY, PRICES
from llmobs.cluster.live import FLEET as OWNER
from llmobs.cluster.live import live
from llmobs.cluster.prune import in_use
from llmobs.cluster.status import write
from llmobs.handlers import applied, native
from llmobs.handlers.context import HEALTH, Context, now, text
from llmobs.handlers.parts import AGAIN, SOON, carry_out, failed
from llmobs.handlers.reader import View
from llmobs.handlers.world import Body, Key
from llmobs.plan.build import fleet_parts, keyed
from llmobs.plan.status import fleet_status

logger = logging.getLogger(__name__)


async def reconcile(context: Context) -> float | None:
    """Bring the fleet's objects and the status of cluster-wide resources to where they should be.

    Returns when to try again what the API server refused, in seconds.
    """
    view, version = context.view(), context.world.version
    prometheus = context.facts.prometheus_operator is not False
    there = await live(context.client, FLEET_KINDS, owner=OWNER, namespace=context.namespace, prometheus=prometheus)
    keep = await in_use(context.client, context.namespace)
    keyless = await _key(context) if keyed(view.inputs) else ()
    findings = (*keyless, *await carry_out(context, fleet_parts(view.inputs), there, context.owners, keep=keep))
    findings += await native.reconcile(context, view)
    context.planned_for = version
    if findings != context.planned:
        context.planned = findings
        context.ask_all()
    context.ask(HEALTH, 0.0)
    await _verdicts(context, view)
    _count(context, view)
    return AGAIN if failed(findings) else None


async def _key(context: Context) -> tuple[Finding, ...]:
    """Make the key of hashed texts; what keeps it from being made."""
    try:
        if await hashkey.keep(context.client, context.namespace):
            logger.info("made Secret %s/%s, the key of hashed texts; it is never changed", context.namespace, names.HASH_KEY)
    except Refused as refused:
        said = f"the key of hashed texts can't be made: {refused}"
        return (Finding(ConditionType.COLLECTOR_READY, Status.FALSE, Reason.APPLY_FAILED, said),)
    return ()


async def health(context: Context) -> float | None:
    """Look at the gateway and the webhook; returns when to look again while one of them is not well."""
    before = context.gateway, context.webhook
    context.gateway = await rollout(context.client, context.namespace)
    found = native.unserved(context) if context.settings.admission.native else await broken(context.client, context.namespace)
    context.webhook = found
    if (context.gateway, context.webhook) != before:
        context.ask_all()
    context.ask_waiting()
    well = context.gateway.status is Status.TRUE and context.webhook is None
    return None if well else SOON


async def verdicts(context: Context) -> None:
    """Say on cluster-wide resources how they stand now."""
    await _verdicts(context, context.view())


async def _verdicts(context: Context, view: View) -> None:
    for kind in (FLEET, PRICES):
        for where, body in list(context.world.of(kind.kind).items()):
            if not body["metadata"].get("deletionTimestamp"):
                await _verdict(context, view, kind.kind, where, body)


async def _verdict(context: Context, view: View, kind: str, where: Key, body: Body) -> None:
    invalid = view.refused.get((kind, where))
    if invalid is not None:
        instead = "What was accepted last keeps serving" if kind == FLEET.kind else "Nothing of this list is in force; the others are"
        said = f"{invalid}. {instead}"
        finding = Finding(ConditionType.ACCEPTED, Status.FALSE, Reason.INVALID, said)
    else:
        said = _governed(view, where.name) if kind == FLEET.kind else _priced(body)
        finding = Finding(ConditionType.ACCEPTED, Status.TRUE, Reason.ACCEPTED, said)
    generation = int(body["metadata"].get("generation", 0))
    served = view.served.get((kind, where))
    last = None if served is None else noted(served)
    there = applied.of_fleet(context, where.name) if kind == FLEET.kind else {}
    status = fleet_status(
        body.get("status") or {},
        [finding, *applied.findings(there)],
        generation=generation,
        now=text(now()),
        last=last,
        pods={name: item.pods for name, item in there.items()},
        looping=tuple(f"{name}/{word}" for name, item in there.items() for word in item.looping),
        instrumentation=next((item.instrumentation for item in there.values()), None),
    )
    if await write(context.client, dict(body), status):
        context.metrics.writes.labels(kind, "status").inc()


def _governed(view: View, fleet: str) -> str:
    governed = [item for item in view.inputs.policies if item.fleet == fleet]
    used = sorted({item.name for policy in view.inputs.governing for item in policy.destinations})
    offered = {item.name for fleets in view.inputs.fleets if fleets.identity.name == fleet for item in fleets.spec.destinations}
    sent = ", ".join(name for name in used if name in offered)
    said = f"governs {len(governed)} LLMObservability in {len({item.identity.namespace for item in governed})} namespaces"
    applied = sum(item.fleet == fleet for item in view.inputs.stand_ins)
    said = f"{said} and applies by itself in {applied} without one" if applied else said
    said = f"{said}, {view.left[fleet]}" if fleet in view.left else said
    return f"{said}; destinations in use: {sent}" if sent else said


def _priced(body: Body) -> str:
    spec = body.get("spec") or {}
    return f"{len(spec.get('prices') or [])} prices and {len(spec.get('aliases') or [])} aliases are in force"


def _count(context: Context, view: View) -> None:
    refused = sum(kind == POLICY.kind for kind, _ in view.refused)
    context.metrics.policies.labels("accepted").set(len(context.world.of(POLICY.kind)) - refused)
    context.metrics.policies.labels("refused").set(refused)
