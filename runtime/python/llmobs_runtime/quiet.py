"""Spans that the application's own OpenTelemetry does not see.

An instrumentation makes its span the current one. Were ours visible, the application's spans below it would hang on a
parent that its own backend never receives, take over our sampling flag, and its HTTP client would send our trace
context to the provider of the model. So a quiet span answers questions about its context with what was current before
it, while spans of ours below it find the real parent.
"""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TracerProvider,
    get_current_span,
)
from opentelemetry.util.types import Attributes, AttributeValue

from llmobs_runtime.current import MakesCurrent
from llmobs_runtime.recorder import Recorder, Recording


class QuietSpan(Span):
    """Records on the real span, and shows the context of the span around it."""

    def __init__(self, real: Span, around: SpanContext, *, content: bool) -> None:
        self.real = real
        self._around = around
        self._content = content

    def get_span_context(self) -> SpanContext:
        """Return the context that is current for the application."""
        return self._around

    def is_recording(self) -> bool:
        """Whether attributes still arrive."""
        return self.real.is_recording()

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Set the status; its words only where content may be sent, since providers quote the prompt in errors."""
        if self._content:
            self.real.set_status(status, description)
        else:
            self.real.set_status(status.status_code if isinstance(status, Status) else status)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Record the exception where content may be sent: its message and its trace may quote the prompt."""
        if self._content:
            self.real.record_exception(exception, attributes, timestamp, escaped)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set attributes."""
        self.real.set_attributes(attributes)

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set an attribute."""
        self.real.set_attribute(key, value)

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Add an event."""
        self.real.add_event(name, attributes, timestamp)

    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        """Add a link."""
        self.real.add_link(context, attributes)

    def update_name(self, name: str) -> None:
        """Rename."""
        self.real.update_name(name)

    def end(self, end_time: int | None = None) -> None:
        """End."""
        self.real.end(end_time)


class Through(NonRecordingSpan):
    """A span that is none, below a quiet one: lets ours below it find their parent."""

    def __init__(self, around: QuietSpan) -> None:
        super().__init__(around.get_span_context())
        self.real = around.real


_OURS = (QuietSpan, Through)


class QuietTracer(MakesCurrent):
    """Starts quiet spans over recorded ones."""

    def __init__(self, real: Recording, *, content: bool) -> None:
        self._real = real
        self._content = content

    def start_span(  # noqa: PLR0917 -- the interface's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: list[Link] | None = None,  # type: ignore[override]
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: ARG002 -- whoever makes it current sees to that
        set_status_on_exception: bool = True,  # noqa: ARG002
    ) -> Span:
        """Start a span; its parent is our span around it, else the application's."""
        current = get_current_span(context)
        shown = around = current.get_span_context()
        if isinstance(current, _OURS):
            around = current.real.get_span_context()
        real = self._real.start_below(around, name, context, kind, attributes, links, start_time)
        return QuietSpan(real, shown, content=self._content)


class QuietTracerProvider(TracerProvider):
    """Gives quiet tracers over those of the recorder; ``content`` says whether error texts may be recorded."""

    def __init__(self, real: Recorder, *, content: bool) -> None:
        self._real = real
        self._content = content

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> QuietTracer:
        """Return a tracer of this name."""
        real = self._real.get_tracer(instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        return QuietTracer(real, content=self._content)

    def without_content(self) -> QuietTracerProvider:
        """Return the same for an instrumentation whose error texts are never recorded."""
        return QuietTracerProvider(self._real, content=False)
