"""The resources of our init container: such that the pod's QoS class and what it asks of a node stay as they were."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from llmobs.inject import quantity
from llmobs.inject.pod import Container, Figures, Quantity, Resources, Spec

KubernetesVersion = tuple[int, int]
"""Major and minor version of the API server."""

POD_LEVEL_RESOURCES: KubernetesVersion = (1, 34)
"""Since this version ``spec.resources`` counts unless switched off; earlier servers drop it."""


class QualityOfService(enum.Enum):
    """Kubernetes' classes."""

    BEST_EFFORT = "BestEffort"
    BURSTABLE = "Burstable"
    GUARANTEED = "Guaranteed"


@dataclass(frozen=True)
class _Kind:
    """One kind of resource: its name, how an amount is written, and what copying a few files is worth."""

    name: str
    write: Callable[[int], str]
    request: int
    limit: int


_KINDS = (
    _Kind("cpu", quantity.cpu, request=10, limit=500),
    _Kind("memory", quantity.memory, request=32 * quantity.MEBIBYTE, limit=128 * quantity.MEBIBYTE),
)


class _Total(NamedTuple):
    """What a set of containers asks for in one resource, in thousandths; ``everywhere``: each of them has a limit."""

    requests: int
    limits: int
    everywhere: bool

    def plus(self, other: _Total) -> _Total:
        """The total of both sets."""
        return _Total(self.requests + other.requests, self.limits + other.limits, self.everywhere and other.everywhere)


_NOTHING = _Total(0, 0, True)

_Pair = tuple[Quantity | None, Quantity | None]
_Figures = tuple[_Pair, _Pair]
"""Request and limit of a container, for each of ``_KINDS``."""
_NO_FIGURES: _Figures = ((None, None), (None, None))


def init_resources(spec: Spec, version: KubernetesVersion) -> Mapping[str, Any]:
    """The ``resources`` of an init container of ours in this pod; empty means none. Raises ``ValueError`` for a malformed quantity.

    BestEffort: none. Guaranteed: equal requests and limits within the app containers' sum. Burstable: requests of at most
    10m and 32Mi within that sum, limits only where every app container has one. A pod's effective request is the larger of
    the init containers' maximum and the app containers' sum, so nothing within that sum raises it.
    """
    if _pod_level(spec, version):
        return {}
    return _resources(_asked(spec.containers), _asked(spec.init_containers))


def _asked(containers: list[Container] | None) -> tuple[_Figures, ...]:
    return tuple([_figures(container.resources) for container in containers or ()])


@lru_cache(maxsize=4096)
def _resources(apps: tuple[_Figures, ...], inits: tuple[_Figures, ...]) -> Mapping[str, Any]:
    """By what the containers ask for alone, because the pods of a workload all ask for the same."""
    totals = _totals(apps)
    kind = _class(totals, _totals(inits))
    if kind is QualityOfService.BEST_EFFORT:
        return {}
    if kind is QualityOfService.GUARANTEED:
        equal = {item.name: item.write(min(item.limit, total.limits)) for item, total in zip(_KINDS, totals, strict=True)}
        return {"requests": equal, "limits": equal}
    return _burstable(totals)


def _burstable(apps: Sequence[_Total]) -> Mapping[str, Any]:
    every = list(zip(_KINDS, apps, strict=True))
    requests = {item.name: item.write(min(item.request, total.requests)) for item, total in every if total.requests}
    limits = {item.name: item.write(min(item.limit, total.limits)) for item, total in every if total.everywhere}
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def quality_of_service(spec: Spec) -> QualityOfService:
    """The class that Kubernetes gives a pod by its containers, init containers included; zero counts as absent.

    Rules: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    return _class(_totals(_asked(spec.containers)), _totals(_asked(spec.init_containers)))


def _class(apps: Sequence[_Total], inits: Sequence[_Total]) -> QualityOfService:
    totals = [one.plus(other) for one, other in zip(apps, inits, strict=True)]
    if not any(total.requests or total.limits for total in totals):
        return QualityOfService.BEST_EFFORT
    if all(total.everywhere and total.requests == total.limits for total in totals):
        return QualityOfService.GUARANTEED
    return QualityOfService.BURSTABLE


def _totals(containers: Iterable[_Figures]) -> list[_Total]:
    """One total for each of ``_KINDS``."""
    totals = [_NOTHING, _NOTHING]
    for container in containers:
        totals = [total.plus(_total(*figures)) for total, figures in zip(totals, container, strict=True)]
    return totals


def _figures(resources: Resources | None) -> _Figures:
    if resources is None:
        return _NO_FIGURES
    requests, limits = resources.requests or Figures(), resources.limits or Figures()
    return (requests.cpu, limits.cpu), (requests.memory, limits.memory)


def _total(request: Quantity | None, limit: Quantity | None) -> _Total:
    allowed = _amount(limit)
    # The API server fills in a missing request from the limit.
    return _Total(allowed if request is None else _amount(request), allowed, allowed > 0)


def _amount(value: Quantity | None) -> int:
    return 0 if value is None else quantity.thousandths(value)


def _pod_level(spec: Spec, version: KubernetesVersion) -> bool:
    if spec.resources is None or version < POD_LEVEL_RESOURCES:
        return False
    parts = (spec.resources.requests, spec.resources.limits)
    return any(part is not None and (part.cpu is not None or part.memory is not None) for part in parts)
