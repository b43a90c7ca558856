"""One LLMObservability: its objects, what became of its pods and money, and its status."""

from __future__ import annotations

import re

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.memory import noted
from llmobs.api.v1alpha1.collector import CollectorMode
from llmobs.cluster.gateway import rollout
from llmobs.cluster.installation import reference
from llmobs.cluster.kinds import POLICY, policy_kinds
from llmobs.cluster.live import live
from llmobs.cluster.prune import in_use
from llmobs.cluster.status import write
from llmobs.handlers import native
from llmobs.handlers.context import Context, now, text
from llmobs.handlers.parts import AGAIN, SOON, carry_out, failed
from llmobs.handlers.pods import look
from llmobs.handlers.reader import View
from llmobs.handlers.world import Body, Key
from llmobs.kit.errors import Invalid
from llmobs.plan.build import policy_parts
from llmobs.plan.findings import accepted, budgets, elsewhere, gateway, injection, shadow, telemetry, undeliverable, within
from llmobs.plan.status import policy_status, refused_status

_DESTINATION = re.compile(r"^spec\.(defaults\.)?backends\[\d+\]\.destination$")


async def reconcile(context: Context, where: Key) -> float | None:
    """Bring one policy's objects and status to where they should be; nothing happens for one that is gone or going.

    Returns when to try again what the API server refused, in seconds.
    """
    body = context.world.of(POLICY.kind).get(where)
    if body is None or body["metadata"].get("deletionTimestamp"):
        context.metrics.forget(namespace=where.namespace, policy=where.name)
        return None
    view = context.view()
    invalid, policy = view.refused.get((POLICY.kind, where)), view.policies.get(where)
    if policy is None:
        if invalid is not None:
            await _refuse(context, body, invalid)
        return None
    own = await _objects(context, view, policy, body) if invalid is None else _told(view, policy)
    if _early(context, refused=invalid is not None):
        context.waiting.add(where)
        return None
    looked = await look(context, view, policy, body.get("status") or {})
    found = looked.pods
    running = await _running(context, policy)
    verdict = accepted(policy, found) if invalid is None else refusal(invalid)
    findings = [
        verdict,
        *((running,) if running else ()),  # before what was applied: of two that are well the first one speaks
        *own,
        *looked.undone,
        injection(policy, found, context.webhook or undeliverable(policy, context.facts.version) or native.refused(context, policy)),
        *gateway(policy, context.shared(), running),  # after: of two that are well the first one speaks
        telemetry(policy, found, context.spend),
        within(budgets(policy, context.spend), context.spend, unseen=elsewhere(policy), estimated=policy.spec.collector.metered),
    ]
    generation = int(body["metadata"].get("generation", 0))
    status = policy_status(
        body.get("status") or {},
        findings,
        generation=generation,
        now=text(now()),
        policy=policy,
        pods=found,
        spend=context.spend,
        last=noted(view.served[POLICY.kind, where]),
        instrumentation=looked.instrumentation,
        looping=looked.looping,
    )
    await _write(context, body, status)
    if found.elsewhere:
        await context.recorder.warn(dict(body), reason=Reason.SHADOWED.value, message=shadow(found))
    if failed(own):
        return AGAIN
    return None if running is None or running.status is Status.TRUE else SOON


async def _running(context: Context, policy: Policy) -> Finding | None:
    """How the policy's own gateway does; None where it has none."""
    if policy.spec.collector.mode is not CollectorMode.DEDICATED or not context.settings.dedicated.enabled:
        return None
    return await rollout(context.client, policy.identity.namespace, names.dedicated(policy.identity.name))


def _early(context: Context, *, refused: bool) -> bool:
    """Whether the gateway was not looked at yet, or not since it was given the newest spec: half a truth would be written."""
    return context.gateway is None or (not refused and context.planned_for != context.world.version)


def refusal(invalid: Invalid) -> Finding:
    """Accepted=False, with where and why."""
    unknown = _DESTINATION.match(invalid.path) is not None and "is not a destination" in invalid.message
    reason = Reason.UNKNOWN_DESTINATION if unknown else Reason.INVALID
    return Finding(ConditionType.ACCEPTED, Status.FALSE, reason, f"{invalid}. What was accepted last keeps serving")


async def _refuse(context: Context, body: Body, invalid: Invalid) -> None:
    generation = int(body["metadata"].get("generation", 0))
    status = refused_status(body.get("status") or {}, refusal(invalid), generation=generation, now=text(now()))
    await _write(context, body, status)


async def _write(context: Context, body: Body, status: dict[str, object]) -> None:
    if await write(context.client, dict(body), status):
        context.metrics.writes.labels(POLICY.kind, "status").inc()


def _told(view: View, policy: Policy) -> tuple[Finding, ...]:
    """What the plan says of the spec that serves while a newer one is refused: nothing is applied, but it goes on to be true."""
    return tuple(part.finding for part in policy_parts(view.inputs, policy) if part.finding is not None)


async def _objects(context: Context, view: View, policy: Policy, body: Body) -> tuple[Finding, ...]:
    uid = policy.identity.uid
    known = context.settled.at(uid, view)
    if known is not None:
        return known
    context.settled.begin(uid)
    prometheus = context.facts.prometheus_operator is not False
    offered, place = context.settings.dedicated.enabled, policy.identity.namespace
    there = await live(context.client, policy_kinds(dedicated=offered), owner=uid, namespace=place, prometheus=prometheus)
    keep = await in_use(context.client, place) if offered else frozenset()
    findings = await carry_out(context, policy_parts(view.inputs, policy), there, {True: reference(dict(body))}, keep=keep)
    if not failed(findings):
        context.settled.end(uid, view, findings)
    return findings
