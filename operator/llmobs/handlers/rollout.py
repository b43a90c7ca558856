"""Restart workloads whose pods are not as their policy says, where the policy asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.injection import RolloutMode
from llmobs.api.workload import Workload
from llmobs.cluster.client import Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import CRON_JOB
from llmobs.cluster.workloads import annotate, annotation, behind, find
from llmobs.handlers.context import Context
from llmobs.plan.rollout import Standing, complete, due, held

RESTARTED = "Restarted"
"""Reason of the Event on a workload."""


async def roll_out(
    context: Context, policy: Policy, *, revision: str, pods: Sequence[Manifest], stale: frozenset[str]
) -> tuple[Finding, ...]:
    """Restart workloads that have ``stale`` pods (by name), once for each ``revision``; what could not be done is a finding.

    Nothing happens while admission does not work: the new pods would be no better.
    """
    rollout = policy.spec.injection.rollout
    if rollout.mode is RolloutMode.NEVER or not stale or context.webhook is not None:
        return ()
    wanting = frozenset(behind(pod) for pod in pods if str(pod["metadata"]["name"]) in stale)
    bodies = {where: body for where in {behind(pod) for pod in pods} if (body := await _body(context, policy, where)) is not None}
    found = {where: _standing(body, revision) for where, body in bodies.items()}
    try:
        for where in due(rollout, found, wanting):
            await _restarted(context, bodies[where], revision)
    except Refused as refused:
        said = f"workloads can't be restarted, as injection.rollout asks: {refused}"
        return (Finding(ConditionType.INJECTION_READY, Status.FALSE, Reason.RESTART_REFUSED, said),)
    return ()


async def _body(context: Context, policy: Policy, where: Workload) -> Manifest | None:
    # a CronJob's next run has new pods anyway
    return None if where.kind == CRON_JOB.kind else await find(context.client, where, policy.identity.namespace)


def _standing(body: Manifest, revision: str) -> Standing:
    return Standing(restarted=annotation(body, names.RESTARTED) == revision, complete=complete(body), held=held(body))


async def _restarted(context: Context, body: Manifest, revision: str) -> None:
    await annotate(context.client, body, names.RESTARTED, revision)
    context.metrics.restarts.labels("rollout").inc()
    said = "restarted, so that its pods are instrumented as their policy says (injection.rollout)"
    await context.recorder.tell(body, reason=RESTARTED, message=said)
