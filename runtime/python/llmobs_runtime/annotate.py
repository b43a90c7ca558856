"""Adds to finished spans what the library's instrumentation does not know: who the call was for, and the summary of a run.

The spans may be the application's own, so nothing is set on them: what we send is a copy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor
from opentelemetry.trace import get_current_span

from llmobs_runtime.runs import AGENT, Run, operation_of

_MOST_OPEN_SPANS = 65536
_LONGEST_VALUE = 256


@dataclass
class _Open:
    """A span that has not ended, what it was started with, and the run it belongs to."""

    span: Span
    said: Mapping[str, str]
    run: Run | None

    def joined(self) -> Run | None:
        """The run; one begins here when the span has turned out to be an agent's: some say so only after the start."""
        if self.run is None and operation_of(self.span.attributes or {}) == AGENT:
            self.run = Run(_number(self.span))
        return self.run


class Annotations(SpanProcessor):
    """Hands every span on to the next processor, completed; ``keys`` of the baggage become attributes of the same names."""

    def __init__(self, following: SpanProcessor, keys: Sequence[str]) -> None:
        self._following = following
        self._keys = keys
        self._open: dict[int, _Open] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Note the baggage, and which run the span belongs to: that of its parent."""
        around = self._open.get(_number(get_current_span(parent_context)))
        if len(self._open) >= _MOST_OPEN_SPANS:
            # Spans that are never ended must not fill the memory.
            self._open.pop(next(iter(self._open)), None)
        self._open[_number(span)] = _Open(span, self._said(parent_context), around.joined() if around else None)
        self._following.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Count the span, and complete it."""
        known = self._open.pop(_number(span), None)
        if known is None:
            self._following.on_end(span)
            return
        added = {key: value for key, value in known.said.items() if key not in (span.attributes or {})}
        run = known.joined()
        if run is not None and run.root == _number(span):
            added |= run.summary()
        elif run is not None:
            run.add(span)
        self._following.on_end(_with(span, added) if added else span)

    def shutdown(self) -> None:
        """Shut the next processor down."""
        self._following.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Flush the next processor."""
        return self._following.force_flush(timeout_millis)

    def _said(self, context: Context | None) -> Mapping[str, str]:
        entries = baggage.get_all(context)
        return {key: str(entries[key])[:_LONGEST_VALUE] for key in self._keys if key in entries} if entries else {}


def _with(span: ReadableSpan, attributes: Mapping[str, Any]) -> ReadableSpan:
    # Also so that these escape the user's limit on the number of attributes.
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes={**(span.attributes or {}), **attributes},
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _number(span: Any) -> int:
    context = span.get_span_context()
    return context.span_id if context else 0
