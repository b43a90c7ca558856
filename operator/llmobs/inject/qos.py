"""The resources of our init container: such that the pod's QoS class and what it asks of a node stay as they were."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from llmobs.api.v1alpha1.resources import InitResources
from llmobs.inject.pod import Container, Quantity, Resources, Spec
from llmobs.inject.ranges import Range, Ranges, bounded, fitted
from llmobs.kit import quantity

KubernetesVersion = tuple[int, int]
"""Major and minor version of the API server."""

POD_LEVEL_RESOURCES: KubernetesVersion = (1, 34)
"""Since this version ``spec.resources`` counts unless switched off; earlier servers drop it."""


class QualityOfService(enum.Enum):
    """Kubernetes' classes."""

    BEST_EFFORT = "BestEffort"
    BURSTABLE = "Burstable"
    GUARANTEED = "Guaranteed"


class Wish(NamedTuple):
    """What our init container would like to have of one resource, in thousandths, and how an amount of it is written."""

    name: str
    write: Callable[[int], str]
    request: int
    limit: int


Wishes = tuple[Wish, Wish]
"""CPU and memory: the resources that decide the class."""


def wishes(asked: InitResources) -> Wishes:
    """The figures of a policy; what it leaves open is what copying a few files is worth."""
    return (
        _wish("cpu", quantity.cpu, asked, usual=(10, 500)),
        _wish("memory", quantity.memory, asked, usual=(32 * quantity.MEBIBYTE, 128 * quantity.MEBIBYTE)),
    )


def _wish(name: str, write: Callable[[int], str], asked: InitResources, *, usual: tuple[int, int]) -> Wish:
    request, limit = (None if found is None else quantity.thousandths(found) for found in _stated(name, asked))
    if request is None:
        request = usual[0] if limit is None else min(usual[0], limit)
    return Wish(name, write, request, max(usual[1], request) if limit is None else limit)


def _stated(name: str, asked: InitResources) -> tuple[str | None, str | None]:
    return getattr(asked.requests, name), getattr(asked.limits, name)


USUAL = wishes(InitResources())


class _Total(NamedTuple):
    """What a set of containers asks for in one resource, in thousandths."""

    requests: int
    limits: int
    everywhere: bool
    """Each has a limit above zero."""
    requested: bool
    """Each states a request, be it zero: then a quota may ask it of every container."""
    limited: bool
    """Each states a limit, be it zero."""

    def plus(self, other: _Total) -> _Total:
        """The total of both sets."""
        return _Total(
            self.requests + other.requests,
            self.limits + other.limits,
            self.everywhere and other.everywhere,
            self.requested and other.requested,
            self.limited and other.limited,
        )


_NOTHING = _Total(0, 0, everywhere=True, requested=True, limited=True)

_Pair = tuple[Quantity | None, Quantity | None]
_Figures = tuple[_Pair, _Pair]
"""Request and limit of a container, for CPU and for memory."""
_NO_FIGURES: _Figures = ((None, None), (None, None))
_OPEN = Range()


def init_resources(spec: Spec, version: KubernetesVersion, wanted: Wishes = USUAL, ranges: Ranges | None = None) -> Mapping[str, Any]:
    """The ``resources`` of an init container of ours in this pod; empty means none. Raises ``ValueError`` for a malformed quantity.

    BestEffort: none. Guaranteed: equal requests and limits within the app containers' sum. Burstable: requests within that
    sum, limits only where every app container has one. A pod's effective request is the larger of the init containers'
    maximum and the app containers' sum, so nothing within that sum raises it, nor what a quota counts. What every app
    container states is stated here too, as a quota may ask it of every container. ``ranges`` are the namespace's:
    what they fill in counts, and what they ask of a container is kept.
    """
    asked = ranges or {}
    made: Mapping[str, Any] = {}
    if not _pod_level(spec, version):
        made = _resources(_asked(spec.containers, asked), _asked(spec.init_containers, asked), wanted)
    return fitted(made, spec, asked) if asked else made


def beside(spec: Spec, version: KubernetesVersion, wanted: Wishes, ranges: Ranges | None = None) -> Mapping[str, Any] | None:
    """The ``resources`` of a container of ours that runs as long as the others; None where they can't be had.

    BestEffort: none. Guaranteed: equal requests and limits. Burstable: requests, and limits where every app container has one.
    They add to what the pod asks of a node, and are zero where something counts them: what is left of a quota is other pods' too. None
    where LimitRanges leave it too little, and in a Guaranteed pod that is counted. Raises ``ValueError`` for a malformed quantity.
    """
    asked = ranges or {}
    made: dict[str, dict[str, Any]] = {"requests": {}, "limits": {}}
    if not _pod_level(spec, version):
        totals = _totals(_asked(spec.containers, asked))
        kind = _class(totals, _totals(_asked(spec.init_containers, asked)))
        for wish, total in zip(wanted, totals, strict=True):
            one = asked.get(wish.name, _OPEN)
            found = bounded(one, *_running(kind, wish, total, one.counted))
            if found is None or (wish.name == "memory" and found[1] and found[1] < wish.limit):
                return None
            for part, amount in zip(made, found, strict=True):
                if amount and part in one.counted:
                    return None
                made[part] |= {} if amount is None else {wish.name: wish.write(amount)}
    others = {name: one for name, one in asked.items() if name not in ("cpu", "memory")}
    return {part: figures for part, figures in fitted(made, spec, others).items() if figures}


def _running(kind: QualityOfService, wish: Wish, total: _Total, counted: Collection[str]) -> tuple[int | None, int | None]:
    if kind is QualityOfService.GUARANTEED:
        return wish.limit, wish.limit
    if kind is QualityOfService.BEST_EFFORT:
        return 0 if total.requested else None, 0 if total.limited else None
    if not total.limited:
        return 0 if "requests" in counted else wish.request, None
    if "limits" in counted:
        return 0, 0  # a request may not be above its limit
    return 0 if "requests" in counted else wish.request, wish.limit


def _asked(containers: list[Container] | None, ranges: Ranges) -> tuple[_Figures, ...]:
    found = [_figures(container.resources) for container in containers or ()]
    return tuple([_filled(item, ranges) for item in found] if ranges else found)


def _filled(figures: _Figures, ranges: Ranges) -> _Figures:
    cpu, memory = figures
    return ranges.get("cpu", _OPEN).filled(*cpu), ranges.get("memory", _OPEN).filled(*memory)


@lru_cache(maxsize=4096)
def _resources(apps: tuple[_Figures, ...], inits: tuple[_Figures, ...], wanted: Wishes) -> Mapping[str, Any]:
    """By what the containers ask for alone, because the pods of a workload all ask for the same."""
    totals = _totals(apps)
    every = list(zip(wanted, totals, strict=True))
    if _class(totals, _totals(inits)) is QualityOfService.GUARANTEED:
        equal = {item.name: item.write(min(item.limit, total.limits)) for item, total in every}
        return {"requests": equal, "limits": equal}
    # In a BestEffort pod all of it is zero.
    requests = {item.name: item.write(min(item.request, total.requests)) for item, total in every if total.requests or total.requested}
    limits = {item.name: item.write(min(item.limit, total.limits)) for item, total in every if total.limited}
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def quality_of_service(spec: Spec) -> QualityOfService:
    """The class that Kubernetes gives a pod by its containers, init containers included; zero counts as absent.

    Rules: https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/
    """
    return _class(_totals(_asked(spec.containers, {})), _totals(_asked(spec.init_containers, {})))


def _class(apps: Sequence[_Total], inits: Sequence[_Total]) -> QualityOfService:
    totals = [one.plus(other) for one, other in zip(apps, inits, strict=True)]
    if not any(total.requests or total.limits for total in totals):
        return QualityOfService.BEST_EFFORT
    if all(total.everywhere and total.requests == total.limits for total in totals):
        return QualityOfService.GUARANTEED
    return QualityOfService.BURSTABLE


def _totals(containers: Iterable[_Figures]) -> list[_Total]:
    """One total for CPU, one for memory."""
    totals = [_NOTHING, _NOTHING]
    for container in containers:
        totals = [total.plus(_total(*figures)) for total, figures in zip(totals, container, strict=True)]
    return totals


def _figures(resources: Resources | None) -> _Figures:
    if resources is None:
        return _NO_FIGURES
    requests, limits = resources.requests or {}, resources.limits or {}
    return (requests.get("cpu"), limits.get("cpu")), (requests.get("memory"), limits.get("memory"))


def _total(request: Quantity | None, limit: Quantity | None) -> _Total:
    allowed = _amount(limit)
    # The API server fills in a missing request from the limit.
    asked = allowed if request is None else _amount(request)
    return _Total(asked, allowed, allowed > 0, requested=request is not None or limit is not None, limited=limit is not None)


def _amount(value: Quantity | None) -> int:
    return 0 if value is None else quantity.thousandths(value)


def _pod_level(spec: Spec, version: KubernetesVersion) -> bool:
    if spec.resources is None or version < POD_LEVEL_RESOURCES:
        return False
    parts = (spec.resources.requests, spec.resources.limits)
    return any(part is not None and ("cpu" in part or "memory" in part) for part in parts)
