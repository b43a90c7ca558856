"""Every check of a pod with its verdict: the first that fails decides, the others tell what would come next."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.inject.checks import CHECKS, case
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.pod import Pod
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace


@dataclass(frozen=True)
class Verdict:
    """What one check says; ``reason`` is None when the pod passes it."""

    check: str
    reason: Reason | None

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.check}: {'passes' if self.reason is None else f'fails, {self.reason.value}'}"


def verdicts(pod: Pod, namespace: Namespace, policy: CompiledPolicy | None) -> tuple[Verdict, ...]:
    """The verdicts on a pod for the policy that applies to it, in order. Without a policy only the first check has a meaning."""
    if pod.metadata is None or pod.spec is None:
        return ()
    found = case(pod.metadata, pod.spec, namespace, policy)
    return tuple(Verdict(item.name, item.fails(found)) for item in (CHECKS if policy else CHECKS[:1]))
