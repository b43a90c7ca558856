"""Instrument workloads again that were rolled back because our image could not be had, once it can."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from llmobs.api import names
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.api.workload import Workload
from llmobs.cluster.client import Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.workloads import annotate, annotation, behind, find, keeps_pods, observed
from llmobs.handlers.context import Context, now, text
from llmobs.plan.retry import Signs, Wait, lifted, wait

AT_ONCE = 5
"""Workloads of a policy that are instrumented again in one look: a registry that has just come back is not asked by all at once."""

KNOWN = 100
"""Sets of images of which is remembered when they could be had."""

TRIED_AGAIN = "TriedAgain"
"""Reason of the Event on a workload."""


async def try_again(context: Context, policy: Policy, pods: Sequence[Manifest]) -> dict[str, str]:
    """Instrument the policy's workloads again whose time has come; the others that wait for it, with when that is."""
    moment, place = now(), policy.identity.namespace
    _note(context, pods, moment)
    back = {behind(pod) for pod in pods if names.ROLLED_BACK in (pod["metadata"].get("annotations") or {})}
    # What is no longer rolled back may be again, for another reason.
    for gone in [key for key in context.waits if key[0] == place and key[1] not in back]:
        del context.waits[gone]
    injection = policy.spec.injection
    if not injection.rollback.enabled or injection.mode is InjectionMode.DISABLED or context.webhook is not None:
        return {}
    told: dict[str, str] = {}
    left = AT_ONCE
    for where in sorted(back):
        found = await _waits(context, place, where)
        if found is None:
            continue
        if left and _due(context, found, moment) and await _lift(context, policy, where, moment):
            left -= 1
            told[str(where)] = text(moment)
        elif found.next is not None:
            told[str(where)] = text(found.next)
    return told


def _note(context: Context, pods: Sequence[Manifest], moment: datetime) -> None:
    for pod in pods:
        seen = observed(pod, restarts=0, now=moment)
        made = pod["metadata"].get("creationTimestamp")
        if seen.injected and seen.started and seen.images and made:
            created = datetime.fromisoformat(made)
            # the newest last; what images a pod says it has, is its maker's word
            context.had[seen.images] = max(created, context.had.pop(seen.images, created))
            if len(context.had) > KNOWN:
                del context.had[next(iter(context.had))]


async def _waits(context: Context, place: str, where: Workload) -> Wait | None:
    """What a workload waited for; read once, since every further rollback is ours to note."""
    key = (place, where)
    if key not in context.waits:
        try:
            body = await find(context.client, where, place)
        except Refused:
            return None
        context.waits[key] = None if body is None else waited(body)
    return context.waits[key]


def waited(body: Manifest) -> Wait | None:
    """What stands in a workload's annotation."""
    return wait((body["metadata"].get("annotations") or {}).get(names.WAITED))


def _due(context: Context, found: Wait, moment: datetime) -> bool:
    return lifted(found, Signs(context.had, context.tried), moment, keeps_pods=True)


async def _lift(context: Context, policy: Policy, where: Workload, moment: datetime) -> bool:
    """Instrument one workload again; whether it was, by what it says at this moment."""
    try:
        body = await find(context.client, where, policy.identity.namespace)
        found = None if body is None else waited(body)
        if body is None or found is None or annotation(body, names.ROLLED_BACK) is None:
            context.waits.pop((policy.identity.namespace, where), None)
            return False
        if not lifted(found, Signs(context.had, context.tried), moment, keeps_pods=keeps_pods(body)):
            return False
        await annotate(context.client, body, names.ROLLED_BACK, None)
    except Refused:
        return False
    proved = context.had.get(found.images)
    if proved is None or proved < found.since:
        context.tried[found.images] = moment
    context.metrics.restarts.labels("retry").inc()
    said = (
        f"instrumented again: it was rolled back since our image could not be had, {found.times} times so far, and is tried again by itself"
    )
    await context.recorder.tell(body, reason=TRIED_AGAIN, message=said)
    return True
