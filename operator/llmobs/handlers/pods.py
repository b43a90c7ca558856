"""What became of a policy's pods: counted, told to Prometheus, and what is done about them."""

from __future__ import annotations

from llmobs.api.conditions import Finding
from llmobs.api.effective import Policy
from llmobs.cluster.client import Manifest
from llmobs.cluster.pods import candidates_for, pods, tally
from llmobs.handlers.context import Context, now
from llmobs.handlers.reader import View
from llmobs.handlers.rollback import roll_back
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.select import NEWEST, Namespace, namespace
from llmobs.plan.findings import Pods


async def look(context: Context, view: View, policy: Policy) -> tuple[Pods, tuple[Finding, ...]]:
    """The policy's pods, counted, after doing what they ask for; and what could not be done."""
    name = policy.identity.namespace
    there = await pods(context.client, name)
    context.restarts.note(name, there, now())
    place = _place(context, view, name)
    found = tally(there, place)[policy.key]
    _count(context, policy, found)
    mine = [pod for pod in there if _governs(policy, pod, place)]
    return found, await roll_back(context, policy, mine)


def _place(context: Context, view: View, name: str) -> Namespace:
    platform = Platform(settings=context.settings, namespace=context.namespace)
    siblings = [compiled(item, platform) for where, item in view.policies.items() if where.namespace == name]
    return namespace(name, context.world.labels.get(name, {}), siblings, version=context.facts.version or NEWEST)


def _governs(policy: Policy, pod: Manifest, place: Namespace) -> bool:
    return next((item.key == policy.key for item in candidates_for(pod, place)), False)


def _count(context: Context, policy: Policy, found: Pods) -> None:
    reasons = {item.reason: item.count for item in found.skipped}
    states = {"injected": found.injected, "outdated": found.outdated, "skipped": sum(reasons.values()), "missed": len(found.missed)}
    where = policy.identity
    context.metrics.count_pods(namespace=where.namespace, policy=where.name, states=states, reasons=reasons)
