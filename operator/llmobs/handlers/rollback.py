"""Take instrumentation back from workloads that crash-loop since they have it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.workload import Workload
from llmobs.cluster.client import Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import POD, STATEFUL_SET
from llmobs.cluster.workloads import CHANGEABLE, annotate, annotation, behind, find, observed
from llmobs.handlers.context import Context, now
from llmobs.handlers.retry import waited
from llmobs.inject.reasons import Reason as Outcome
from llmobs.kit.durations import seconds
from llmobs.plan.retry import again
from llmobs.plan.rollback import Observed, blamed, recovered, unwell, waiting

_SAID = (
    "crash-looped or did not start since its pods are instrumented, so they are created anew without; find out why, then remove the"
    f" annotation {names.ROLLED_BACK} from the pod template to try again"
)
_WAITED = (
    "waited for an image of ours since its pods are instrumented, so they are created anew without; it is tried again by itself, first as"
    f" soon as another pod has the image, unless the annotation {names.WAITED} is removed"
)


async def roll_back(context: Context, policy: Policy, pods: Sequence[Manifest]) -> tuple[Finding, ...]:
    """Restart the policy's workloads that crash-loop since they are instrumented, without; what could not be done is a finding."""
    rollback, moment = policy.spec.injection.rollback, now()
    seen = _seen(context, policy, pods, moment)
    place = policy.identity.namespace
    before = {where for space, where in context.looping if space == place}
    context.looping -= {(place, where) for where, each in seen.items() if recovered(each)}
    context.looping |= {(place, where) for where, each in seen.items() if unwell(rollback, each)}
    causes = [(where, waiting(rollback, seen[where])) for where in blamed(rollback, seen, before)]
    made = [await _rolled_back(context, policy, where, pods, images=images) for where, images in causes]
    return tuple(item for item in made if item is not None)


def _seen(context: Context, policy: Policy, pods: Iterable[Manifest], moment: datetime) -> dict[Workload, list[Observed]]:
    place, window = policy.identity.namespace, seconds(policy.spec.injection.rollback.window)
    found: dict[Workload, list[Observed]] = {}
    for pod in pods:
        restarts = context.restarts.within(pod, place, window=window, now=moment)
        found.setdefault(behind(pod), []).append(observed(pod, restarts=restarts, now=moment))
    return found


async def _rolled_back(
    context: Context, policy: Policy, where: Workload, pods: Sequence[Manifest], *, images: tuple[str, ...]
) -> Finding | None:
    """Restart one without; ``images`` are ours that it waited for, if that is all there is to it."""
    place = policy.identity.namespace
    try:
        body = await find(context.client, where, place)
        if body is None:
            return (
                None
                if where.kind in CHANGEABLE
                else _refused(f"{where} crash-loops or does not start since it is instrumented; create it anew")
            )
        if annotation(body, names.ROLLED_BACK) is not None:
            await _unblock(context, where, pods)
            return None
        found = again(waited(body), images, now()) if images else None
        own = {names.WAITED: None if found is None else str(found)}
        await annotate(context.client, body, names.ROLLED_BACK, policy.identity.revision, own=own)
        context.waits[place, where] = found
    except Refused as refused:
        return _refused(f"{where} crash-loops or does not start since it is instrumented, and can't be restarted without: {refused}")
    context.metrics.restarts.labels("rollback").inc()
    by_itself = found is not None and found.next is not None
    await context.recorder.warn(body, reason=Outcome.ROLLED_BACK.value, message=_WAITED if by_itself else _SAID)
    return None


async def _unblock(context: Context, where: Workload, pods: Iterable[Manifest]) -> None:
    """A StatefulSet waits for a pod that is not ready, for ever: of those that are instrumented still, delete what crash-loops."""
    if where.kind != STATEFUL_SET.kind:
        return
    for pod in pods:
        marked = (pod["metadata"].get("labels") or {}).get(names.INJECTED) == "true"
        if marked and behind(pod) == where and not observed(pod, restarts=0, now=now()).ready:
            await context.client.delete({**pod, "apiVersion": POD.api_version, "kind": POD.kind})


def _refused(message: str) -> Finding:
    return Finding(ConditionType.INJECTION_READY, Status.FALSE, Reason.ROLLBACK_REFUSED, message)
