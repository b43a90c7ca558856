"""What the init container that copies our files asks for."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.kit.quantity import thousandths
from llmobs.kit.schema import Rule, prop, ruled

_CPU = r"^([0-9]{1,6}m|[0-9]{1,4}(\.[0-9]{1,3})?)$"
_MEMORY = r"^[0-9]{1,7}([kMG]|[KMG]i)$"


@dataclass(frozen=True, kw_only=True)
class Requests:
    """What is requested in a Burstable pod, at most what the pod's own containers request."""

    cpu: str | None = prop(None, pattern=_CPU, max_length=16)
    """CPU. Default 10m, or the limit where that is lower."""
    memory: str | None = prop(None, pattern=_MEMORY, max_length=16)
    """Memory. Default 32Mi, or the limit where that is lower."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is allowed, at most what the pod's own containers are allowed; in a Guaranteed pod it is requested as well."""

    cpu: str | None = prop(None, pattern=_CPU, max_length=16)
    """CPU. Default 500m, or the request where that is higher."""
    memory: str | None = prop(None, pattern=_MEMORY, max_length=16)
    """Memory. Default 128Mi, or the request where that is higher."""


def _within(name: str) -> Rule:
    def holds(found: InitResources) -> bool:
        request, limit = getattr(found.requests, name), getattr(found.limits, name)
        return request is None or limit is None or thousandths(request) <= thousandths(limit)

    both = f"has(self.requests) && has(self.requests.{name}) && has(self.limits) && has(self.limits.{name})"
    fits = f"quantity(self.requests.{name}).compareTo(quantity(self.limits.{name})) <= 0"
    return Rule(cel=f"!({both}) || {fits}", message=f"must not be above limits.{name}", holds=holds, path=f"requests.{name}")


@ruled(_within("cpu"), _within("memory"))
@dataclass(frozen=True, kw_only=True)
class InitResources:
    """Requests and limits of our init container. They move the figures, never the pod's QoS class nor what it asks of a node."""

    requests: Requests = prop(factory=Requests)
    """What is requested in a Burstable pod, at most what the pod's own containers request."""
    limits: Limits = prop(factory=Limits)
    """What is allowed, at most what the pod's own containers are allowed; in a Guaranteed pod it is requested as well."""
