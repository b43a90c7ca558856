"""Who a process is, in its resource, and what numbers its spans."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from functools import cache
from random import Random

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.version import __version__ as sdk_version

from llmobs_runtime import __version__

_INSTANCE = "service.instance.id"


class PrivateIds:
    """Random identifiers that leave the application's ``random`` alone.

    OpenTelemetry's generator draws from the global one: it would shift every seeded sequence of the application, and
    give the same identifiers to all processes that seed alike.
    """

    def __init__(self) -> None:
        self._random = Random()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._random.seed)

    def generate_span_id(self) -> int:
        """Return 64 random bits, not all zero."""
        return self._random.getrandbits(64) or 1

    def generate_trace_id(self) -> int:
        """Return 128 random bits, not all zero."""
        return self._random.getrandbits(128) or 1


class ProcessResource(Resource):
    """The pod's identity, with an instance of its own for every process, also for a forked one.

    The base is namespace, pod and container as the injector wrote them; an instance that the user set is kept.
    """

    def __init__(self, attributes: Mapping[str, str], *, fixed_instance: bool) -> None:
        named = {
            "service.name": "unknown_service:python",
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": sdk_version,
            "telemetry.distro.name": "llm-observability-operator",
            "telemetry.distro.version": __version__,
            **attributes,
        }
        self._pod = attributes
        self._fixed_instance = fixed_instance
        if not fixed_instance:
            named[_INSTANCE] = ".".join(filter(None, (attributes.get(_INSTANCE), _process(os.getpid()))))
        super().__init__(named)
        self._process, self._renewed = os.getpid(), self

    def current(self) -> ProcessResource:
        """Return the resource of the process that asks."""
        if self._process != os.getpid():
            self._process, self._renewed = os.getpid(), ProcessResource(self._pod, fixed_instance=self._fixed_instance)
        return self._renewed


@cache
def _process(pid: int) -> str:  # noqa: ARG001 -- a forked process draws anew
    return uuid.uuid4().hex[:12]
