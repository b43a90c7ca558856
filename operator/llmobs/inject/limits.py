"""What an admission policy can't express: asked by a policy it is refused whole, in a pod that pod is left alone whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.identity import ANNOTATION, DERIVED
from llmobs.inject.pod import Container, Meta, Spec

PLAIN = r"^[-A-Za-z0-9._:@/]*$"
"""Images whose version can be percent-encoded without a function for it."""
LARGEST = 256 * 1024
"""Characters of variables, commands and arguments that a pod may have: how large it is as a whole can't be asked."""
MOST = 64
"""Containers that a pod may have: an expression may only cost so much."""

_PLAIN = re.compile(PLAIN)


def inexpressible(policy: CompiledPolicy) -> tuple[str, ...]:
    """What of a policy can't be expressed, and what to do, in sentences; empty where all of it can."""
    return tuple(_inexpressible(policy))


def _inexpressible(policy: CompiledPolicy) -> Iterator[str]:
    if policy.copies:
        yield (
            "injection.delivery InitContainer (what its container asks for is fitted to the pod's QoS class, to LimitRanges and to"
            " limits of ephemeral-storage): choose ImageVolume"
        )
    if policy.sidecar:
        yield "collector.mode Sidecar (what the collector asks for is fitted to the pod and to LimitRanges): choose another mode"
    if policy.own_sdk:
        yield "injection.languages sdk (OpenTelemetry's own variables are merged by key): leave it out"
    if policy.joins:
        yield "injection.onOtherAgent AddExporter (our entry is put at the head of a list, in its place): choose Skip"
    named = sorted(policy.attributes.keys() & DERIVED)
    if named:
        yield f"attributes {', '.join(named)} (derived from the pod too, and replaced in place): leave them out"


def unusual(meta: Meta, spec: Spec, policy: CompiledPolicy, targets: Iterable[Container]) -> bool:
    """Whether a pod has something that only the webhook can deal with; ``targets`` are the containers to instrument."""
    every_container = [*(spec.containers or ()), *(spec.init_containers or ())]
    return (
        any(key.startswith(ANNOTATION) and value for key, value in (meta.annotations or {}).items())
        or any(item.name in policy.own for item in every_container)
        or len(every_container) > MOST
        or sum(map(_size, every_container)) > LARGEST
        or any(_odd(container, policy) for container in targets)
    )


def _size(container: Container) -> int:
    variables = sum(len(item.name) + len(item.value or "") for item in container.env or ())
    return variables + _words(container.command) + _words(container.args)


def _words(listed: msgspec.Raw) -> int:
    return sum(map(len, msgspec.json.decode(listed, type=list[str] | None) or ())) if listed else 0


def _odd(container: Container, policy: CompiledPolicy) -> bool:
    listed = [item for item in container.env or () if item.name in policy.lists]
    references = any(item.value_from is not None for item in listed)
    return references or len(listed) > len({item.name for item in listed}) or _PLAIN.fullmatch(container.image) is None
