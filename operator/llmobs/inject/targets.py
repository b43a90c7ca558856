"""Which containers of a pod a policy is for."""

from __future__ import annotations

from typing import NamedTuple

from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.pod import Container, Spec


class Target(NamedTuple):
    """A container to instrument: where it stands, and whether among the init containers."""

    path: str
    position: int
    init: bool
    container: Container


def targets(spec: Spec, policy: CompiledPolicy) -> list[Target]:
    """The containers to instrument: every app container unless the policy names some; init containers only by name."""
    found = _among("/spec/containers", spec.containers, policy, init=False)
    return [*found, *_among("/spec/initContainers", spec.init_containers, policy, init=True)] if spec.init_containers else found


def chosen(name: str, policy: CompiledPolicy, *, init: bool) -> bool:
    """Whether the policy is for a container of this name."""
    if name in policy.exclude:
        return False
    return name in policy.include if policy.include else not init


def _among(base: str, containers: list[Container] | None, policy: CompiledPolicy, *, init: bool) -> list[Target]:
    return [
        Target(f"{base}/{index}", index, init, container)
        for index, container in enumerate(containers or ())
        if container.name not in policy.own and chosen(container.name, policy, init=init)
    ]
