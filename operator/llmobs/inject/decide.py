"""One pod, one decision: the checks, of which the first that fails gives the reason, then the patch."""

from __future__ import annotations

from typing import NamedTuple

from llmobs.inject.checks import case, failed
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.injection import operations
from llmobs.inject.patch import Change, check, encoded
from llmobs.inject.pod import Pod
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace, matching

LARGEST = 1_500_000
"""Bytes of a pod that fit into etcd by its default; as JSON, which is longer than what is stored."""


class Decision(NamedTuple):
    """What happens to a pod, and why. ``policy`` is the one that applies; ``losers`` are others that select the pod too."""

    reason: Reason
    policy: CompiledPolicy | None = None
    losers: tuple[CompiledPolicy, ...] = ()
    operations: tuple[Change, ...] = ()
    patch: bytes = b"[]"
    """The operations as JSON."""


def decide(pod: Pod, namespace: Namespace, *, size: int = 0) -> Decision:
    """The decision on a pod of ``size`` bytes as JSON that is created in ``namespace``.

    Raises ``ValueError`` for a malformed resource quantity, and :class:`~llmobs.inject.patch.Misfit` when a patch of ours
    does not fit the pod.
    """
    meta = pod.metadata
    if pod.spec is None or meta is None:
        return Decision(Reason.UNREADABLE)
    candidates = matching(namespace.policies, meta.labels or {})
    policy, losers = next(iter(candidates), None), tuple(candidates[1:])
    found = case(meta, pod.spec, namespace, policy)
    reason = failed(found)
    if reason is not None or policy is None:
        return Decision(reason or Reason.NO_POLICY, policy, losers)
    made = tuple(operations(found, policy))
    check(pod, made)
    patch = encoded(made)
    if made and size + len(patch) > LARGEST:
        return Decision(Reason.TOO_LARGE, policy, losers)
    return Decision(Reason.INJECTED if made else Reason.ALREADY_INJECTED, policy, losers, made, patch)
