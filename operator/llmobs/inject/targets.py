"""Which containers of a pod a policy is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.pod import Container, Spec


@dataclass(frozen=True)
class Target:
    """A container to instrument: where it stands, and whether among the init containers."""

    path: str
    index: int
    init: bool
    container: Container


def targets(spec: Spec, policy: CompiledPolicy) -> list[Target]:
    """The containers to instrument: every app container unless the policy names some; init containers only by name."""
    return [*_among(spec.containers, policy, init=False), *_among(spec.init_containers, policy, init=True)]


def chosen(name: str, policy: CompiledPolicy, *, init: bool) -> bool:
    """Whether the policy is for a container of this name."""
    if name in policy.exclude:
        return False
    return name in policy.include if policy.include else not init


def _among(containers: list[Container] | None, policy: CompiledPolicy, *, init: bool) -> Iterator[Target]:
    ours = {item.language.init_container for item in policy.deliveries}
    base = "/spec/initContainers" if init else "/spec/containers"
    for index, container in enumerate(containers or ()):
        if container.name not in ours and chosen(container.name, policy, init=init):
            yield Target(f"{base}/{index}", index, init, container)
