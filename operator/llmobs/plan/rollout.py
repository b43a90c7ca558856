"""Which workloads to restart, so that their pods come to be as their policy says; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmobs.api.v1alpha1.injection import Rollout, RolloutMode
from llmobs.api.workload import Workload


@dataclass(frozen=True)
class Standing:
    """How a workload stands."""

    restarted: bool
    """Whether it was restarted for the revision at hand: never twice."""
    complete: bool
    """Whether all of its pods are of its newest template and available."""
    held: bool
    """Whether a person decides when its pods change: paused, partitioned, or replaced on deletion only."""


def due(rollout: Rollout, workloads: Mapping[Workload, Standing], stale: frozenset[Workload]) -> list[Workload]:
    """The workloads to restart now: those with ``stale`` pods, under the limit on restarts that are not complete yet."""
    if rollout.mode is RolloutMode.NEVER:
        return []
    under_way = sum(standing.restarted and not standing.complete for standing in workloads.values())
    waiting = [
        where
        for where, standing in sorted(workloads.items())
        if where in stale and standing.complete and not standing.restarted and not standing.held
    ]
    return waiting[: max(0, rollout.max_concurrent - under_way)]


def complete(body: Mapping[str, Any]) -> bool:
    """Whether every pod of a Deployment, StatefulSet or DaemonSet is of the newest template and available."""
    status, meta = body.get("status") or {}, body["metadata"]
    if status.get("observedGeneration", 0) < meta.get("generation", 0):
        return False
    if body["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(wanted == status.get("updatedNumberScheduled", 0) == status.get("numberAvailable", 0))
    wanted = body["spec"].get("replicas", 1)
    return all(status.get(key, 0) == wanted for key in ("replicas", "updatedReplicas", "availableReplicas"))


def held(body: Mapping[str, Any]) -> bool:
    """Whether a change of the template does not replace pods by itself."""
    spec = body["spec"]
    strategy = spec.get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    return bool(spec.get("paused") or strategy.get("type") == "OnDelete" or partition)
