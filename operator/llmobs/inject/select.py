"""Which policy is for a pod, and whether its labels or its namespace's let it be instrumented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from llmobs.api import names
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.qos import KubernetesVersion
from llmobs.inject.ranges import Ranges
from llmobs.inject.reasons import Reason

NEWEST: KubernetesVersion = (1, 36)
"""The newest Kubernetes this is tested with; assumed where nothing else is known."""


@dataclass(frozen=True)
class Namespace:
    """What admission knows of a namespace: its labels, its policies in the order in which they are tried, what its LimitRanges ask."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    policies: tuple[CompiledPolicy, ...] = ()
    version: KubernetesVersion = NEWEST
    ranges: Ranges = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)
    """What its annotations ask other agents for: annotation -> the agent's name."""


def namespace(
    name: str,
    labels: Mapping[str, str],
    policies: Iterable[CompiledPolicy],
    *,
    version: KubernetesVersion = NEWEST,
    ranges: Ranges | None = None,
    asks: Mapping[str, str] | None = None,
) -> Namespace:
    """A namespace with its policies put in order: most requirements first, then the oldest, then by name."""
    return Namespace(name, labels, tuple(sorted(policies, key=lambda item: item.rank)), version, ranges or {}, asks or {})


def matching(candidates: Iterable[CompiledPolicy], labels: Mapping[str, str]) -> list[CompiledPolicy]:
    """The policies that select a pod with these labels; the first one applies, the others lose."""
    return [item for item in candidates if item.selector.matches(labels)]


def asked(pod_labels: Mapping[str, str], namespace_labels: Mapping[str, str]) -> bool | Reason | None:
    """What people said: yes, no, nothing, or a word that is neither. The pod's label counts before the namespace's."""
    word = pod_labels.get(names.INJECT)
    if word is None:
        word = namespace_labels.get(names.INJECT)
    if word is None:
        return None
    return {"true": True, "false": False}.get(word.lower(), Reason.INVALID_LABEL)


def verdict(said: bool | Reason | None, policy: CompiledPolicy | None) -> Reason | None:
    """Why labels, policy and mode leave the pod alone; none when they let it be instrumented.

    A label counts before the mode, and Disabled is the off switch that no label overrides.
    """
    if isinstance(said, Reason):
        return said
    if said is False:
        return Reason.OPTED_OUT
    if policy is None:
        return Reason.NO_POLICY
    if policy.mode is InjectionMode.DISABLED:
        return Reason.POLICY_DISABLED
    return Reason.NOT_OPTED_IN if policy.mode is InjectionMode.OPT_IN and said is not True else None
