"""Makes our spans: what OpenTelemetry's SDK does for a provider that keeps everything, for a third of its processor time.

The SDK's span locks, samples, counts itself and copies each value several times, in the thread that called the model, and
warns on the application's standard error of values that it cuts. Ours keeps the user's limits (OTEL_*_LIMIT) and the rest
of what can be seen of a span from outside.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TracerProvider,
    get_current_span,
)
from opentelemetry.util.types import Attributes, AttributeValue

from llmobs_runtime import log
from llmobs_runtime.current import MakesCurrent
from llmobs_runtime.identity import PrivateIds, ProcessResource

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_UNSET = Status()
_PLAIN = frozenset({int, float, bool, bytes})
_PLAIN_AND_TEXT = _PLAIN | {str}


class Processor(Protocol):
    """Hears of the spans; never raises."""

    def on_start(self, span: Any, parent_context: Context | None = None) -> None:
        """Note a span that starts."""

    def on_end(self, span: Any) -> None:
        """Take a span that ended."""


class Recorder(TracerProvider):
    """Gives tracers that record every span, whatever the application samples."""

    def __init__(self, resource: ProcessResource, processor: Processor, limits: SpanLimits) -> None:
        self.resource = resource
        self.processor = processor
        self.limits = limits
        self.ids = PrivateIds()

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> Recording:
        """Return a tracer of this name."""
        return Recording(self, InstrumentationScope(instrumenting_module_name, instrumenting_library_version, schema_url, attributes))


class Recording(MakesCurrent):
    """Starts spans that are recorded."""

    def __init__(self, recorder: Recorder, scope: InstrumentationScope) -> None:
        self._recorder = recorder
        self._scope = scope

    def start_span(  # noqa: PLR0917 -- the interface's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002 -- whoever makes it current sees to that
        set_status_on_exception: bool = True,  # noqa: ARG002
    ) -> Span:
        """Start a span below the current one."""
        around = get_current_span(context).get_span_context()
        return self.start_below(around, name, context, kind, attributes, links, start_time)

    def start_below(  # noqa: PLR0917 -- made for every call
        self,
        around: SpanContext | None,
        name: str,
        context: Context | None,
        kind: SpanKind,
        attributes: Attributes,
        links: Sequence[Link] | None,
        start_time: int | None,
    ) -> Recorded:
        """Start a span below the one with this identity; the root of a trace where it is none."""
        recorder = self._recorder
        if around is None or not around.is_valid:
            around = None
        trace_id, state = (around.trace_id, around.trace_state) if around else (recorder.ids.generate_trace_id(), None)
        own = SpanContext(trace_id, recorder.ids.generate_span_id(), False, _SAMPLED, state)
        span = Recorded(name, own, around, kind, self._scope, recorder)
        if attributes:
            span.set_attributes(attributes)
        for link in links or ():
            span.add_link(link.context, link.attributes)
        span.start_time = start_time or time.time_ns()
        recorder.processor.on_start(span, context)
        return span


class Recorded(Span):
    """One span; to be read like the SDK's ``ReadableSpan``, times in nanoseconds."""

    # Most calls keep these: what each of them had of its own would wait, and be looked at by the garbage collector.
    status = _UNSET
    start_time = 0
    end_time: int | None = None
    events: Sequence[Event] = ()
    links: Sequence[Link] = ()
    dropped_attributes = dropped_events = dropped_links = 0

    def __init__(  # noqa: PLR0917 -- made for every call
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        kind: SpanKind,
        instrumentation_scope: InstrumentationScope,
        recorder: Recorder,
    ) -> None:
        self.name = name
        self.parent = parent
        self.kind = kind
        self.instrumentation_scope = instrumentation_scope
        self.resource = recorder.resource.current()
        self.attributes: dict[str, Any] = {}
        self._context = context
        self._recorder = recorder
        # Who takes it away ends the span: two threads cannot both.
        self._open = True

    def get_span_context(self) -> SpanContext:
        """Return its identity."""
        return self._context

    def is_recording(self) -> bool:
        """Whether it has not ended."""
        return self.end_time is None

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes, within the user's limits on their number and length."""
        own, limits = self.attributes, self._recorder.limits
        # Looked at second: a span that ends meanwhile has put a copy in place of these.
        if self.end_time is not None:
            return
        longest, most = limits.max_span_attribute_length, limits.max_span_attributes
        plain = _PLAIN if longest is not None else _PLAIN_AND_TEXT
        for key, value in attributes.items():
            own[key] = value if type(value) in plain else _frozen(value, longest)
        if most is not None and len(own) > most:
            # As the SDK does: the oldest go.
            for key in list(own)[: len(own) - most]:
                own.pop(key, None)
                self.dropped_attributes += 1

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set one attribute."""
        self.set_attributes({key: value})

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event; of too many the oldest go."""
        if self.end_time is None:
            limits = self._recorder.limits
            events: list[Event] = self.__dict__.setdefault("events", [])
            events.append(Event(name, self._bounded(attributes, limits.max_event_attributes), timestamp))
            self.dropped_events += _shortened(events, limits.max_events)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link; of too many the oldest go."""
        if self.end_time is None:
            limits = self._recorder.limits
            links: list[Link] = self.__dict__.setdefault("links", [])
            links.append(Link(context, self._bounded(attributes, limits.max_link_attributes)))
            self.dropped_links += _shortened(links, limits.max_links)

    def _bounded(self, attributes: Attributes, most: int | None) -> BoundedAttributes:
        return BoundedAttributes(most, attributes, immutable=True, max_value_len=self._recorder.limits.max_attribute_length)

    def update_name(self, name: str) -> None:
        """Rename."""
        if self.end_time is None:
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; OK is final, and to none there is no way back."""
        wanted = status if isinstance(status, Status) else Status(status, description)
        if self.end_time is None and wanted.status_code is not StatusCode.UNSET and self.status.status_code is not StatusCode.OK:
            self.status = wanted

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Add an event as OpenTelemetry's conventions describe an exception."""
        kind = type(exception)
        told: dict[str, AttributeValue] = {
            "exception.type": kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": str(exception),
            "exception.stacktrace": "".join(traceback.format_exception(kind, exception, exception.__traceback__)),
            "exception.escaped": str(escaped),
        }
        self.add_event("exception", {**told, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End it, once, and hand it on."""
        try:
            del self._open
        except AttributeError:
            return
        self.end_time = end_time or time.time_ns()
        # A copy: another thread may be in the middle of setting one, while the exporter's reads them.
        self.attributes = dict(self.attributes)
        self._recorder.processor.on_end(self)


Finished = ReadableSpan | Recorded
"""What is sent: a span of ours, or a copy of somebody's."""


def _frozen(value: Any, longest: int | None) -> Any:
    """The value as it is now, its texts cut to this length."""
    if isinstance(value, str):
        return value if longest is None else value[:longest]
    if value is None or isinstance(value, (int, float, bytes)):
        return value
    if isinstance(value, Sequence):
        return tuple([_frozen(item, longest) for item in value])
    if isinstance(value, Mapping):
        return {str(key): _frozen(item, longest) for key, item in value.items()}
    kind: Any = type(value)
    if kind.__str__ is object.__str__ and kind.__repr__ is object.__repr__:
        return None
    try:
        return str(value)[:longest]
    except Exception:
        # The SDK would raise into the application here.
        return None


def _shortened(entries: list[Any], most: int | None) -> int:
    """How many of the oldest entries were taken away for these to be no more."""
    excess = max(0, len(entries) - most) if most is not None else 0
    del entries[:excess]
    return excess


def limits() -> SpanLimits:
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
