"""What became of a policy's pods: counted, told to Prometheus, and what is done about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from llmobs.api.conditions import Finding
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.status import Instrumentation
from llmobs.api.workload import Workload
from llmobs.cluster.client import Manifest
from llmobs.cluster.pods import candidates_for, pods, tallied
from llmobs.handlers.context import Context, now
from llmobs.handlers.places import placed
from llmobs.handlers.reader import View
from llmobs.handlers.retry import try_again
from llmobs.handlers.rollback import roll_back
from llmobs.handlers.rollout import roll_out
from llmobs.handlers.surprises import tell
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.select import Namespace
from llmobs.plan.findings import Pods

MOST = 50
"""Workloads of a namespace that a status tells of."""


class Looked(NamedTuple):
    """The policy's pods, counted, after doing what they ask for; what could not be done; and what the policy does to pods since when."""

    pods: Pods
    undone: tuple[Finding, ...]
    instrumentation: Instrumentation
    looping: tuple[str, ...]
    """Workloads that were seen to crash-loop without instrumentation, which is not to be blamed for it."""


async def look(context: Context, view: View, policy: Policy, status: Mapping[str, Any]) -> Looked:
    """Look at the policy's pods; ``status`` is what stands in its resource."""
    name = policy.identity.namespace
    there = await pods(context.client, name)
    context.restarts.note(name, there, now())
    _recall(context, policy, status)
    place = placed(context, view, name)
    now_is = _since(next(item for item in place.policies if item.key == policy.key), policy, status)
    place = replace(place, policies=tuple(_dated(item, policy, now_is) for item in place.policies))
    found = tallied(there, place, policy.key)
    _count(context, policy, found)
    mine = [pod for pod in there if _governs(policy, pod, place)]
    undone = await roll_back(context, policy, mine)
    found = waiting(found, await try_again(context, policy, mine))
    revision = f"{policy.identity.uid}.{now_is.generation}"
    undone += await roll_out(context, policy, revision=revision, pods=mine, stale=frozenset(found.stale))
    await tell(context, name, found, mine)
    looping = sorted(str(where) for space, where in context.looping if space == name)
    return Looked(found, undone, now_is, tuple(looping[:MOST]))


def _recall(context: Context, policy: Policy, status: Mapping[str, Any]) -> None:
    """Once after a start: take from a status what the process before this one saw."""
    mark = policy.identity.namespace, policy.key
    if mark not in context.recalled:
        found = (str(word).partition("/") for word in status.get("crashLooping") or ())
        context.looping |= {(policy.identity.namespace, Workload(kind, name)) for kind, _, name in found}
    context.recalled.add(mark)


def _since(made: CompiledPolicy, policy: Policy, status: Mapping[str, Any]) -> Instrumentation:
    before = status.get("instrumentation") or {}
    digest = made.digest
    same = before.get("digest") == digest
    return Instrumentation(digest=digest, generation=before.get("generation", 0) if same else policy.identity.generation)


def waiting(found: Pods, again: Mapping[str, str]) -> Pods:
    """Told apart, of the workloads that are rolled back, those that are tried again by themselves, with when that is."""
    by_itself = tuple(f"{where} ({again[where]})" for where in found.rolled_back if where in again)
    return replace(found, rolled_back=tuple(where for where in found.rolled_back if where not in again), again=by_itself)


def _dated(item: CompiledPolicy, policy: Policy, now_is: Instrumentation) -> CompiledPolicy:
    return replace(item, since=now_is.generation) if item.key == policy.key else item


def _governs(policy: Policy, pod: Manifest, place: Namespace) -> bool:
    return next((item.key == policy.key for item in candidates_for(pod, place)), False)


def _count(context: Context, policy: Policy, found: Pods) -> None:
    reasons = {item.reason: item.count for item in found.skipped}
    states = {"injected": found.injected, "outdated": found.outdated, "skipped": sum(reasons.values()), "missed": len(found.missed)}
    where = policy.identity
    context.metrics.count_pods(namespace=where.namespace, policy=where.name, states=states, reasons=reasons)
