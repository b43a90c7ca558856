"""How much memory the finished spans that wait may hold, and what becomes of those that are too large for it.

A span without prompts takes a few kilobytes, and the queue's bound in spans bounds their memory too. Prompts and answers have
no bound: so the texts of a call go before its figures do, and these before the application runs out of memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import getsizeof
from typing import Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Status, StatusCode

from llmobs_runtime.recorder import Finished

QUEUE_BYTES = 16 * 1024 * 1024
"""What the spans that are not light may hold together."""
LIGHT_BYTES = 16384
"""A span up to here is bounded by the queue's number of spans alone."""
_SPAN_BYTES = 1_000_000
"""No request may be larger, so a larger span loses the ends of its texts before it waits, and before it is encoded."""
_SPAN_CHARACTERS = 65536
_LIGHT_CHARACTERS = (512, 32)

_EMPTY_BYTES = 2048
"""What a span without a text takes, about."""
_FLAT = frozenset({int, float, bool, type(None)})


class Room:
    """Whom the queue has room for; used from any thread, and without a lock from signal handlers and finalizers too."""

    def __init__(self) -> None:
        self._held: dict[int, int] = {}
        self.cut = 0
        """Spans that are kept without most of their texts, since the queue was created."""

    def admitted(self, span: Finished) -> Finished | None:
        """The span, or a copy with as much of its texts as there is room for; None where even its names are too large."""
        heavy = weight(span)
        if heavy > _SPAN_BYTES:
            span = lightened(span, _SPAN_CHARACTERS)
            heavy = weight(span)
        if heavy <= LIGHT_BYTES:
            return span
        if heavy + sum(list(self._held.values())) <= QUEUE_BYTES:
            self._held[id(span)] = heavy
            return span
        self.cut += 1
        light = (lightened(span, longest) for longest in _LIGHT_CHARACTERS)
        return next((each for each in light if weight(each) <= LIGHT_BYTES), None)

    def release(self, spans: Iterable[Finished]) -> None:
        """Give back what these took: they no longer wait."""
        for span in spans:
            self._held.pop(id(span), None)


def weight(span: Finished) -> int:
    """The bytes that a span holds, about: its texts, in what Python takes for them, and a little for itself."""
    total = _EMPTY_BYTES + _texts((span.attributes or {}).values()) + _texts([span.name, span.status.description])
    for event in span.events:
        total += _texts((event.attributes or {}).values())
    return total


def _texts(values: Iterable[Any]) -> int:
    total = 0
    for value in values:
        kind = type(value)
        if kind is str:
            total += getsizeof(value)
        elif kind in _FLAT:
            continue
        elif isinstance(value, (str, bytes)):
            total += getsizeof(value)
        elif kind is tuple:
            total += getsizeof(value) + _texts(value)
        elif isinstance(value, Mapping):
            total += _texts(value) + _texts(value.values())
        elif isinstance(value, (tuple, list)):
            total += getsizeof(value) + _texts(value)
    return total


def lightened(span: Finished, longest: int) -> ReadableSpan:
    """A copy with so many characters of each text; the span itself may be the application's."""
    return ReadableSpan(
        name=span.name[:longest],
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_cut(span.attributes or {}, longest),
        events=[Event(event.name, _cut(event.attributes or {}, longest), event.timestamp) for event in span.events],
        links=span.links,
        kind=span.kind,
        status=_status(span.status, longest),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _status(status: Status, longest: int) -> Status:
    # It warns of words that come with any other code.
    return Status(status.status_code, (status.description or "")[:longest]) if status.status_code is StatusCode.ERROR else status


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, (str, bytes)):
        return value[:longest]
    if isinstance(value, Mapping):
        return {key: _cut(item, longest) for key, item in value.items()}
    return tuple(_cut(item, longest) for item in value) if isinstance(value, (tuple, list)) else value
