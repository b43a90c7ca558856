"""A fleet's defaults in a namespace without a resource of its own: what became of its pods, and what is done about them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llmobs.api.conditions import Finding, Status
from llmobs.cluster.kinds import FLEET
from llmobs.handlers import native
from llmobs.handlers.context import VERDICTS, Applied, Context
from llmobs.handlers.pods import look
from llmobs.handlers.world import Key
from llmobs.plan.findings import injection, undeliverable

QUIET = 0.5
"""Seconds for which what is found in several namespaces is gathered into one status."""


async def reconcile(context: Context, namespace: str) -> None:
    """Look at the pods of one namespace, and restart what rollout and rollback ask for, as for a policy of its own."""
    view = context.view()
    policy = view.stand_in(namespace)
    before = context.applied.get(namespace)
    if before is not None and (policy is None or policy.identity.name != before.fleet):
        context.metrics.forget(namespace=namespace, policy=before.fleet)
        del context.applied[namespace]
        context.gather(VERDICTS, QUIET)
    if policy is None:
        return
    body = context.world.of(FLEET.kind).get(Key("", policy.identity.name)) or {}
    looked = await look(context, view, policy, _status(body.get("status") or {}, namespace))
    broken = context.webhook or undeliverable(policy, context.facts.version) or native.refused(context, policy)
    findings = (*looked.undone, injection(policy, looked.pods, broken))
    made = Applied(policy.identity.name, looked.pods, findings, looked.instrumentation, looked.looping)
    if made != before:
        context.applied[namespace] = made
        context.gather(VERDICTS, QUIET)


def _status(status: Mapping[str, Any], namespace: str) -> Mapping[str, Any]:
    """What the fleet's status says of one namespace, as a policy's own would."""
    mine = f"{namespace}/"
    words = [str(word).removeprefix(mine) for word in status.get("crashLooping") or () if str(word).startswith(mine)]
    return {**status, "crashLooping": words}


def of_fleet(context: Context, fleet: str) -> Mapping[str, Applied]:
    """How a fleet's defaults fare, by namespace."""
    return {name: item for name, item in sorted(context.applied.items()) if item.fleet == fleet}


def findings(found: Mapping[str, Applied]) -> Iterable[Finding]:
    """What was found in each namespace; what is not well says where."""
    for name, applied in found.items():
        for item in applied.findings:
            said = item.message if item.status is Status.TRUE else f"in {name}: {item.message}"
            yield Finding(item.type, item.status, item.reason, said)
