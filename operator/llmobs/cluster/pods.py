"""Compare intent with reality: which pods of a namespace are instrumented, which are not, and why, policy by policy."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from llmobs.api import names
from llmobs.api.v1alpha1.status import SkippedPods
from llmobs.api.workload import Workload
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.kinds import POD
from llmobs.cluster.workloads import behind
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.decide import Decision, decide
from llmobs.inject.patch import Misfit
from llmobs.inject.pod import decode
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace, matching
from llmobs.plan.findings import Pods

SHADOWED = "Shadowed"
"""Why a policy's pod counts as skipped when another policy governs it."""
MISSED = "Missed"
"""Why a pod counts as skipped that admission would instrument now and should have: the webhook was away, or the policy said otherwise."""
BEFORE = "BeforePolicy"
"""Why a pod counts as skipped that is older than its policy: it was never due, and is instrumented once its workload restarts."""


async def pods(client: Client, namespace: str) -> list[Manifest]:
    """The pods of a namespace that run or are about to."""
    found, _ = await client.list(POD, namespace=namespace, fields="status.phase!=Succeeded,status.phase!=Failed")
    return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]


@dataclass
class _Count:
    matched: int = 0
    injected: int = 0
    outdated: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    rolled_back: set[str] = field(default_factory=set)
    surprised: dict[tuple[Workload, str], str] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    elsewhere: set[str] = field(default_factory=set)

    def skip(self, reason: str, name: str) -> None:
        self.skipped[reason] += 1
        self.examples.setdefault(reason, name)

    def done(self) -> Pods:
        ordered = sorted(self.skipped.items(), key=lambda item: (-item[1], item[0]))
        return Pods(
            matched=self.matched,
            injected=self.injected,
            outdated=len(self.outdated),
            stale=(*self.outdated, *self.missed, *self.before),
            skipped=tuple(SkippedPods(reason=reason, count=count, example=self.examples[reason]) for reason, count in ordered),
            missed=tuple(self.missed),
            before=tuple(self.before),
            rolled_back=tuple(sorted(self.rolled_back)),
            surprised=tuple((name, reason) for (_, reason), name in sorted(self.surprised.items())),
            elsewhere=tuple(sorted(self.elsewhere)),
        )


def tally(found: Iterable[Manifest], namespace: Namespace) -> Mapping[str, Pods]:
    """How each policy of a namespace (by its key) fares with the namespace's pods."""
    there = list(found)
    return {policy.key: tallied(there, namespace, policy.key) for policy in namespace.policies}


def tallied(found: Iterable[Manifest], namespace: Namespace, key: str) -> Pods:
    """How one policy fares; pods that another one governs are not judged, so that in a round over all policies each pod is judged once."""
    count = _Count()
    for pod in found:
        candidates = candidates_for(pod, namespace)
        if candidates and candidates[0].key == key:
            _judge(count, pod, candidates[0], namespace)
        elif key in [item.key for item in candidates]:
            count.matched += 1
            count.elsewhere.add(candidates[0].key)
            count.skip(SHADOWED, str(pod["metadata"]["name"]))
    return count.done()


def candidates_for(pod: Manifest, namespace: Namespace) -> list[CompiledPolicy]:
    """The policies that select a pod; the first one governs it. None selects a pod of ours, as that of a namespace's own gateway."""
    labels = pod["metadata"].get("labels") or {}
    return [] if labels.get(names.MANAGED_BY) == names.OPERATOR else matching(namespace.policies, labels)


def _judge(count: _Count, pod: Manifest, policy: CompiledPolicy, namespace: Namespace) -> None:
    count.matched += 1
    meta = pod["metadata"]
    name = str(meta["name"])
    if (meta.get("labels") or {}).get(names.INJECTED) == "true":
        count.injected += 1
        if policy.outdated(str((meta.get("annotations") or {}).get(names.POLICY_REVISION, ""))):
            count.outdated.append(name)
        return
    reason = _decision(pod, namespace).reason
    if reason is Reason.ROLLED_BACK:
        count.rolled_back.add(str(behind(pod)))
    if reason.surprising:
        count.surprised.setdefault((behind(pod), reason.value), name)
    if reason not in (Reason.INJECTED, Reason.ALREADY_INJECTED):
        count.skip(reason.value, name)
    elif policy.created and str(meta.get("creationTimestamp") or "~") <= policy.created:
        # both are of the API server's clock, to the second: within one second the webhook can't have known the policy for sure
        count.before.append(name)
        count.skip(BEFORE, name)
    else:
        count.missed.append(name)
        count.skip(MISSED, name)


def _decision(pod: Manifest, namespace: Namespace) -> Decision:
    try:
        body = json.dumps(pod).encode()
        return decide(decode(body), namespace, size=len(body))
    except (msgspec.MsgspecError, Misfit, RecursionError, ValueError):
        return Decision(Reason.UNREADABLE)
