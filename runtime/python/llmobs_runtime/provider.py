"""The tracer provider of our pipeline: every span is kept, whatever the application samples."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from functools import cache
from inspect import signature
from random import Random
from typing import Any

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.sdk.version import __version__ as sdk_version

from llmobs_runtime import __version__, log

_INSTANCE = "service.instance.id"


class PrivateIds(IdGenerator):
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

    def merge(self, other: Resource) -> Resource:  # noqa: ARG002 -- what the SDK would add is drawn anew here
        """Return the resource of a forked process: the SDK merges a new instance in after a fork."""
        return self.current()

    def current(self) -> ProcessResource:
        """Return the resource of the process that asks."""
        if self._process != os.getpid():
            self._process, self._renewed = os.getpid(), ProcessResource(self._pod, fixed_instance=self._fixed_instance)
        return self._renewed


@cache
def _process(pid: int) -> str:  # noqa: ARG001 -- a forked process draws anew
    return uuid.uuid4().hex[:12]


def tracer_provider(resource: Resource, processor: SpanProcessor) -> TracerProvider:
    """Build the provider; it never becomes the global one, and does nothing at exit by itself."""
    # Newer SDKs count their own work, by default with the application's meter provider.
    counting: dict[str, Any] = {"meter_provider": NoOpMeterProvider()} if "meter_provider" in signature(TracerProvider).parameters else {}
    provider = TracerProvider(
        sampler=ALWAYS_ON,
        resource=resource,
        shutdown_on_exit=False,
        id_generator=PrivateIds(),
        span_limits=_limits(),
        **counting,
    )
    provider.add_span_processor(processor)
    return provider


def _limits() -> SpanLimits:
    """The user's OTEL_*_LIMIT variables; one that is no number switches all of them off instead of us."""
    try:
        return SpanLimits()
    except ValueError as error:
        log.failure("limits ignored", error)
        return SpanLimits(
            max_span_attributes=SpanLimits.UNSET,
            max_events=SpanLimits.UNSET,
            max_links=SpanLimits.UNSET,
            max_event_attributes=SpanLimits.UNSET,
            max_link_attributes=SpanLimits.UNSET,
            max_attributes=SpanLimits.UNSET,
            max_attribute_length=SpanLimits.UNSET,
            max_span_attribute_length=SpanLimits.UNSET,
        )
