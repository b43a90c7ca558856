"""Which workloads crash-loop or don't start because they were instrumented; pure, from what is seen of their pods."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from llmobs.api.v1alpha1.injection import Rollback
from llmobs.api.workload import Workload

SETTLED = 60.0
"""Seconds that a pod must have been up to count as well: one that crashes late looks well at first."""

PATIENCE = 180.0
"""Seconds that a pod may wait for what we added: the kubelet has tried several times by then, and a registry has restarted."""


@dataclass(frozen=True)
class Observed:
    """One pod of a workload."""

    name: str
    injected: bool
    revision: str = ""
    """The revision of the policy that it was instrumented by."""
    rolled_back: bool = False
    restarts: int = 0
    """Within the window, of the container that restarted most."""
    backing_off: bool = False
    """Whether the kubelet says CrashLoopBackOff."""
    kept_out: bool = False
    """Whether what we added can't be started, or its image not be had, so that nothing of the pod runs."""
    images: tuple[str, ...] = ()
    """Of ours in the pod, in order."""
    waits: bool = False
    """Whether the kubelet says that one of them can't be pulled."""
    started: bool = False
    """Whether a container of the application ran, which it does only once all of ours could be had."""
    ready: bool = False
    up: float = 0.0
    """Seconds since it was started."""

    @property
    def stuck(self) -> bool:
        """Whether it has been kept out for so long that the registry's or the node's moment of weakness should be over."""
        return self.kept_out and self.up >= PATIENCE

    @property
    def well(self) -> bool:
        """Ready, without a restart lately, and no longer new."""
        return self.ready and self.restarts == 0 and self.up >= SETTLED


def blamed(rollback: Rollback, pods: Mapping[Workload, Sequence[Observed]], before: Container[Workload]) -> Iterator[Workload]:
    """The workloads to roll back; ``before`` are those that were seen to crash-loop without instrumentation."""
    if not rollback.enabled:
        return
    for workload, seen in sorted(pods.items()):
        looping = {pod.revision for pod in seen if pod.injected and (pod.restarts >= rollback.restarts or pod.stuck)}
        if not looping or workload in before or unwell(rollback, seen):
            continue
        # where others with the same instrumentation are well, what differs is the application or the node
        if not any(pod.injected and pod.well and pod.revision in looping for pod in seen):
            yield workload


def waiting(rollback: Rollback, seen: Sequence[Observed]) -> tuple[str, ...]:
    """Our images that a blamed workload's pods wait for; none where anything else is the matter with one of them."""
    wrong = [pod for pod in seen if pod.injected and (pod.restarts >= rollback.restarts or pod.stuck)]
    return wrong[0].images if wrong and all(pod.stuck and pod.waits and pod.restarts < rollback.restarts for pod in wrong) else ()


def unwell(rollback: Rollback, seen: Sequence[Observed]) -> bool:
    """Whether pods crash-loop that were never instrumented; those that were left alone after a rollback do not count."""
    return any(not pod.injected and not pod.rolled_back and (pod.backing_off or pod.restarts >= rollback.restarts) for pod in seen)


def recovered(seen: Sequence[Observed]) -> bool:
    """Whether a pod is well that is not instrumented: what it crash-looped of before is over."""
    return any(not pod.injected and pod.well for pod in seen)
