"""Which workloads are restarted, and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from llmobs.api.effective import policy as effective
from llmobs.api.v1alpha1.injection import Rollout, RolloutMode
from llmobs.api.workload import Workload
from llmobs.inject.compiled import CompiledPolicy, Platform, compiled
from llmobs.plan.rollout import Standing, complete, due, held

READY = Standing(restarted=False, complete=True, held=False)
ROLLING = Rollout(mode=RolloutMode.ROLLING)


def names(rollout: Rollout, stale: str = "abc", **standings: Standing) -> list[str]:
    found = {Workload("Deployment", name): standing for name, standing in standings.items()}
    return [where.name for where in due(rollout, found, frozenset(Workload("Deployment", name) for name in stale))]


def test_as_many_at_a_time_as_the_limit_says() -> None:
    assert names(Rollout(), a=READY) == []
    assert names(ROLLING, a=READY, b=READY, c=READY) == ["a"]
    assert names(Rollout(mode=RolloutMode.ROLLING, max_concurrent=2), a=READY, b=READY, c=READY) == ["a", "b"]


def test_what_is_under_way_counts_also_when_it_has_no_old_pods_left() -> None:
    under_way = Standing(restarted=True, complete=False, held=False)
    assert names(ROLLING, stale="b", a=under_way, b=READY) == []
    assert names(ROLLING, stale="b", a=Standing(restarted=True, complete=True, held=False), b=READY) == ["b"]


@pytest.mark.parametrize(
    "standing",
    [
        Standing(restarted=True, complete=True, held=False),
        Standing(restarted=False, complete=False, held=False),
        Standing(restarted=False, complete=True, held=True),
    ],
    ids=["restarted already", "not well", "held by a person"],
)
def test_who_is_left_alone(standing: Standing) -> None:
    assert names(ROLLING, a=standing) == []
    assert names(ROLLING, stale="", a=READY) == []


def workload(kind: str, spec: dict[str, Any] | None = None, **status: int) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"generation": 2}, "spec": {"replicas": 2, **(spec or {})}, "status": status}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (workload("Deployment", observedGeneration=2, replicas=2, updatedReplicas=2, availableReplicas=2), True),
        (workload("Deployment", observedGeneration=1, replicas=2, updatedReplicas=2, availableReplicas=2), False),
        (workload("Deployment", observedGeneration=2, replicas=3, updatedReplicas=2, availableReplicas=2), False),
        (workload("StatefulSet", observedGeneration=2, replicas=2, updatedReplicas=1, availableReplicas=2), False),
        (workload("StatefulSet", observedGeneration=2, replicas=2, updatedReplicas=2, availableReplicas=2), True),
        (workload("DaemonSet", observedGeneration=2, desiredNumberScheduled=3, updatedNumberScheduled=3, numberAvailable=3), True),
        (workload("DaemonSet", observedGeneration=2, desiredNumberScheduled=3, updatedNumberScheduled=3, numberAvailable=2), False),
        (workload("Deployment"), False),
    ],
)
def test_a_rollout_is_complete_when_every_pod_is_new_and_available(body: dict[str, Any], expected: bool) -> None:
    assert complete(body) is expected


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, False),
        ({"paused": True}, True),
        ({"updateStrategy": {"type": "OnDelete"}}, True),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}}, True),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}, False),
    ],
)
def test_what_a_person_holds(spec: dict[str, Any], expected: bool) -> None:
    assert held(workload("StatefulSet", spec)) is expected


def made(spec: dict[str, Any], *, generation: int = 1) -> CompiledPolicy:
    meta = {"name": "p", "namespace": "n", "uid": "u", "generation": generation}
    return compiled(effective({"metadata": meta, "spec": spec}, (), {}), Platform())


@pytest.mark.parametrize(
    "spec",
    [
        {"attributes": {"team": "a"}},
        {"injection": {"env": [{"name": "A", "value": "b"}]}},
        {"injection": {"containers": {"exclude": ["side"]}}},
        {"injection": {"languages": ["sdk"]}},
        {"injection": {"mode": "Disabled"}},
    ],
)
def test_the_digest_moves_with_what_is_done_to_pods(spec: dict[str, Any]) -> None:
    assert made(spec).digest != made({}).digest


def test_the_digest_stays_when_pods_would_be_the_same() -> None:
    spec = {
        "budgets": [{"name": "b", "limitUSD": 1}],
        "injection": {"rollout": {"mode": "Rolling"}},
        "selector": {"matchLabels": {"a": "b"}},
    }
    assert made(spec, generation=7).digest == made({}).digest


def test_a_pod_is_outdated_from_the_generation_that_changed_it() -> None:
    policy = made({}, generation=9)
    assert [policy.outdated(text) for text in ("u.9", "u.8", "other.9", "")] == [False, True, True, True]
    since = replace(policy, since=5)
    assert [since.outdated(text) for text in ("u.9", "u.5", "u.4", "other.9")] == [False, False, True, True]
