"""What the LimitRanges of a namespace ask of every container, what quotas count, and figures of ours that they let pass.

Rules: https://kubernetes.io/docs/concepts/policy/limit-range/, https://kubernetes.io/docs/concepts/policy/resource-quotas/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from llmobs.inject.pod import Container, Quantity, Spec
from llmobs.kit.errors import Invalid
from llmobs.kit.quantity import thousandths

Part = Literal["requests", "limits"]

_PARTS: tuple[Part, Part] = ("requests", "limits")
_FIELDS = ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")


@dataclass(frozen=True)
class Range:
    """What is asked of one resource of a container; amounts as Kubernetes writes them, ``None`` where nothing is said."""

    minimum: Quantity | None = None
    maximum: Quantity | None = None
    ratio: Quantity | None = None
    """The most that a limit may be, divided by its request."""
    limit: Quantity | None = None
    """What a container without a limit gets."""
    request: Quantity | None = None
    """What a container without a request gets, unless it has a limit of its own."""
    counted: frozenset[Part] = frozenset()
    """What a ResourceQuota, or a LimitRange for whole pods, counts: a pod may be as large as they let it be, so nothing may be added."""

    def allows(self, request: Quantity | None, limit: Quantity | None) -> bool:
        """Whether a container with these figures is neither refused nor given others."""
        if limit is None and not self.limit == self.maximum == self.ratio is None:
            return False
        if request is None and (self.request is not None or self.minimum is not None or self.limit is not None or self.ratio is not None):
            return False
        low, high = _amount(request), _amount(limit)
        if self.minimum is not None and (_below(low, self.minimum) or _below(high, self.minimum)):
            return False
        if self.maximum is not None and (_above(low, self.maximum) or _above(high, self.maximum)):
            return False
        return self.ratio is None or bool(low and high and high * 1000 <= low * thousandths(self.ratio))

    def filled(self, request: Quantity | None, limit: Quantity | None) -> tuple[Quantity | None, Quantity | None]:
        """The figures of a container after the server has filled in what it leaves open."""
        if request is None:
            request = limit if limit is not None else self.request
        return request, self.limit if limit is None else limit


Ranges = Mapping[str, Range]
"""By the resource's name."""


def _amount(value: Quantity | None) -> int | None:
    return None if value is None else thousandths(value)


def _below(amount: int | None, bound: Quantity) -> bool:
    return amount is not None and amount < thousandths(bound)


def _above(amount: int | None, bound: Quantity) -> bool:
    return amount is not None and amount > thousandths(bound)


def ranges(bodies: Iterable[Mapping[str, Any]]) -> Ranges:
    """What several LimitRanges and ResourceQuotas ask together. Raises :class:`Invalid` for amounts that are none."""
    found: dict[str, Range] = {}
    for body in bodies:
        for name, one in _stated(body.get("spec") or {}):
            found[name] = _both(found[name], one) if name in found else one
    return found


def uncounted(asked: Ranges) -> Ranges:
    """The same as if no quota and nothing for whole pods were there."""
    return {name: replace(one, counted=frozenset()) if one.counted else one for name, one in asked.items()}


def _stated(spec: Mapping[str, Any]) -> Iterator[tuple[str, Range]]:
    for key in spec.get("hard") or ():
        yield from _quota(key)
    for index, item in enumerate(spec.get("limits") or ()):
        if item.get("type") == "Container":
            yield from _items(item, f"spec.limits[{index}]")
        elif item.get("type") == "Pod":
            for name in {**(item.get("max") or {}), **(item.get("maxLimitRequestRatio") or {})}:
                yield name, Range(counted=frozenset(_PARTS))


def _quota(key: str) -> Iterator[tuple[str, Range]]:
    """Of cpu and memory alone: nothing else has a figure in a container of ours unless a LimitRange asks it."""
    part, dot, name = key.rpartition(".")
    if name in ("cpu", "memory") and (not dot or part in _PARTS):
        yield name, Range(counted=frozenset(item for item in _PARTS if item == (part or "requests")))


def _items(item: Mapping[str, Any], path: str) -> Iterator[tuple[str, Range]]:
    given = {field: item.get(field) or {} for field in _FIELDS}
    for field, amounts in given.items():
        for name, value in amounts.items():
            try:
                thousandths(value)
            except ValueError as error:
                raise Invalid(f"{path}.{field}.{name}", str(error)) from error
    for name in dict.fromkeys(name for amounts in given.values() for name in amounts):
        low, high = given["min"].get(name), given["max"].get(name)
        # As the API server fills in a LimitRange itself.
        limit = given["default"].get(name, high)
        request = given["defaultRequest"].get(name, limit if limit is not None else low)
        yield name, Range(low, high, given["maxLimitRequestRatio"].get(name), limit, request)


def _both(one: Range, other: Range) -> Range:
    return Range(
        minimum=_chosen(max, one.minimum, other.minimum),
        maximum=_chosen(min, one.maximum, other.maximum),
        ratio=_chosen(min, one.ratio, other.ratio),
        limit=other.limit if one.limit is None else one.limit,
        request=other.request if one.request is None else one.request,
        counted=one.counted | other.counted,
    )


def _chosen(choose: Callable[..., Quantity | None], *found: Quantity | None) -> Quantity | None:
    return choose([item for item in found if item is not None], key=thousandths, default=None)


def fitted(resources: Mapping[str, Any], spec: Spec, asked: Ranges) -> Mapping[str, Any]:
    """``resources`` of our init container so that no LimitRange refuses or changes them.

    Where they do not pass as they are: nothing of a device, and of anything else what the pod's smallest app container asks
    for, which passes because that container does, and which raises neither what the pod asks of a node nor what a quota counts.
    """
    made = {kind: dict(resources.get(kind) or {}) for kind in ("requests", "limits")}
    for name, one in asked.items():
        if one.allows(made["requests"].get(name), made["limits"].get(name)):
            continue
        request, limit = ("0", "0") if "/" in name and one.allows("0", "0") else _smallest(spec.containers or [], name, one)
        for kind, amount in (("requests", request), ("limits", limit)):
            if amount is not None:
                made[kind][name] = amount
    return {kind: figures for kind, figures in made.items() if figures}


def bounded(one: Range, request: int | None, limit: int | None) -> tuple[int | None, int | None] | None:
    """Request and limit, in thousandths, moved as little as a range asks; None where it lets nothing pass. Equal ones stay equal."""
    if one.allows(_written(request), _written(limit)):
        return request, limit
    low = request or 0
    high = max(limit or 0, low) or low
    most, least = _amount(one.maximum), _amount(one.minimum) or 0
    high = max(least, high if most is None else min(high, most))
    low = max(least, min(low, high))
    if one.ratio is not None:
        low = max(low, -(-high * 1000 // thousandths(one.ratio)))
    if request == limit:
        low = high
    return (low, high) if one.allows(_written(low), _written(high)) else None


def _written(amount: int | None) -> Quantity | None:
    return None if amount is None else f"{amount}m"


def _smallest(containers: Iterable[Container], name: str, one: Range) -> tuple[Quantity | None, Quantity | None]:
    pairs = [one.filled(*_figures(container, name)) for container in containers]
    known = [pair for pair in pairs if pair[0] is not None]
    return min(known, key=lambda pair: thousandths(pair[0] or 0), default=(None, None))


def _figures(container: Container, name: str) -> tuple[Quantity | None, Quantity | None]:
    found = container.resources
    if found is None:
        return None, None
    return (found.requests or {}).get(name), (found.limits or {}).get(name)
