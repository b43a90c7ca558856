"""The account of one pod or workload of a cluster: what applies to it, how its pods fare, and that in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from llmobs.api import names
from llmobs.api.workload import Workload
from llmobs.cluster.calls import Arrival
from llmobs.cluster.pods import tally
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.decide import Decision, decide
from llmobs.inject.explain import ContainerNote, container_notes, policy_sentence
from llmobs.inject.identity import workload
from llmobs.inject.pod import Meta, Pod, decode
from llmobs.inject.select import Namespace
from llmobs.inject.verdicts import Verdict, verdicts
from llmobs.inject.workload import Seen, relocated, seen

Object = dict[str, Any]

INJECTED, OUTDATED, UNGOVERNED = "Injected", "Outdated", "Ungoverned"
"""Beside reasons and ``Missed``, what a pod is: as its policy says, as it said before, or injected though no policy selects it now."""


@dataclass(frozen=True)
class Account:
    """Everything there is to say; ``pods`` are states by name, ``problems`` say which policies are not accepted."""

    target: str
    namespace: str
    pod: Pod
    decision: Decision
    verdicts: tuple[Verdict, ...]
    containers: Sequence[ContainerNote]
    changes: Sequence[Object]
    pods: Mapping[str, str]
    arrival: Arrival
    problems: Sequence[str]
    refreshed: str
    """The command that creates the pods anew."""
    unasked: str = ""
    """Why admission is not asked about pods of the namespace at all; empty: it is, or that is not known."""

    @property
    def whole(self) -> bool:
        """Whether every pod is injected as its policy says; without pods, whether the next one would be."""
        if not self.pods:
            return self.decision.reason.decision == "injected" and not self.unasked
        return set(self.pods.values()) == {INJECTED}


def controlled(pods: Sequence[Object], owner: Workload) -> list[Object]:
    """Those of ``pods`` that a workload is behind."""
    return [pod for pod in pods if workload(msgspec.convert(pod["metadata"], Meta)) == owner]


def dated(place: Namespace, policies: Sequence[Object]) -> Namespace:
    """``place`` with what the operator wrote into its resources ``policies``: the generation since which each does to pods what it does.

    Not where the operator has not judged a resource yet, or runs no more.
    """
    judged = {f"{body['metadata']['namespace']}/{body['metadata']['name']}": body.get("status") or {} for body in policies}
    return replace(place, policies=tuple(_dated(item, judged.get(item.key, {})) for item in place.policies))


def _dated(item: CompiledPolicy, status: Object) -> CompiledPolicy:
    newest = item.revision.rpartition(".")[2]
    if status.get("observedGeneration", 0) < int(newest):
        return item
    return replace(item, since=(status.get("instrumentation") or {}).get("generation", 0))


def series(body: Object) -> str:
    """The value of the label k8s_workload on what a pod or workload sends: a pod that no workload is behind counts as its own."""
    name = str(body["metadata"]["name"])
    found = workload(msgspec.convert(body["metadata"], Meta)) if body["kind"] == "Pod" else None
    return found.name if found is not None and found.kind != "ReplicaSet" else name


def account(body: Object, *, target: str, place: Namespace, pods: Sequence[Object], arrival: Arrival, problems: Sequence[str]) -> Account:
    """The account of ``body``, a pod or workload as the API server has it, with the pods behind it."""
    found = seen(body)
    given = json.dumps(found.pod).encode()
    pod = decode(given)
    decision = decide(pod, place, size=len(given))
    return Account(
        target=target,
        namespace=place.name,
        pod=pod,
        decision=decision,
        verdicts=verdicts(pod, place, decision.policy),
        containers=container_notes(pod, decision, place),
        changes=relocated(decision.operations, body, found.path),
        pods={str(item["metadata"]["name"]): state(item, place) for item in pods},
        arrival=arrival,
        problems=problems,
        refreshed=_refreshed(target, place.name, found),
    )


def state(pod: Object, place: Namespace) -> str:
    """What one pod is: ``Injected``, ``Outdated``, ``Missed``, ``Ungoverned``, or the reason why it was left alone."""
    mine = next((item for item in tally([pod], place).values() if item.matched and not item.elsewhere), None)
    if mine is None:
        marked = (pod["metadata"].get("labels") or {}).get(names.INJECTED) == "true"
        return UNGOVERNED if marked else "NoPolicy"
    if mine.injected:
        return OUTDATED if mine.outdated else INJECTED
    return mine.skipped[0].reason


def _refreshed(target: str, namespace: str, found: Seen) -> str:
    kind = target.partition("/")[0]
    if kind in ("deployment", "statefulset", "daemonset"):
        return f"kubectl rollout restart {target} -n {namespace}"
    if kind == "cronjob":
        return "nothing to do: the next run creates new pods"
    owned = kind == "pod" and bool(found.pod["metadata"].get("ownerReferences"))
    return f"kubectl delete {target} -n {namespace}" if owned else f"delete {target} and create it anew"


def text(found: Account) -> str:
    """The account for a person."""
    return "\n".join([f"{found.target} in namespace {found.namespace}", *(f"  {line}" for line in _lines(found))])


def _lines(found: Account) -> Iterator[str]:
    decision = found.decision
    yield f"policy: {policy_sentence(decision)}"
    yield f"admission now: {decision.reason.decision}, {decision.reason.value}: {decision.reason.sentence}"
    if found.unasked:
        yield f"but {found.unasked}"
    yield from (f"check {item}" for item in found.verdicts)
    yield from (str(note) for note in found.containers)
    yield from (f"would {item['op']} {item['path']}" for item in found.changes)
    yield from (f"pod {name}: {said}" for name, said in found.pods.items())
    if not found.pods:
        yield "pods: none runs"
    if not found.whole and not found.unasked and decision.reason.decision == "injected":
        yield f"pods are changed only when they are created: {found.refreshed}"
    yield f"telemetry: {found.arrival.telemetry}: {found.arrival.message}"
    yield from (f"not accepted: {problem}" for problem in found.problems)


def document(found: Account) -> Object:
    """The account for a program."""
    decision = found.decision
    return {
        "target": found.target,
        "namespace": found.namespace,
        "policy": None if decision.policy is None else {"name": decision.policy.key, "revision": decision.policy.revision},
        "losers": [item.key for item in decision.losers],
        "admission": {"decision": decision.reason.decision, "reason": decision.reason.value, "message": decision.reason.sentence},
        "unasked": found.unasked or None,
        "checks": [{"check": item.check, "fails": item.reason.value if item.reason else None} for item in found.verdicts],
        "containers": [{"name": item.name, "init": item.init, "message": item.sentence} for item in found.containers],
        "changes": list(found.changes),
        "pods": [{"name": name, "state": said} for name, said in found.pods.items()],
        "telemetry": {"state": str(found.arrival.telemetry), "message": found.arrival.message},
        "notAccepted": list(found.problems),
        "injected": found.whole,
    }
