"""Spans as all of this package makes them: on the provider that is there, without the words of errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode

Value = str | bool | int | float

SCOPE = "llmobs_sdk"


def start(name: str, attributes: Mapping[str, Value], context: Context | None = None) -> Span:
    """Start a span below the current one, or below the one of ``context``."""
    # Asked for anew each time: the provider may have been set since the import.
    return trace.get_tracer(SCOPE).start_span(name, context, attributes=dict(attributes))


@contextmanager
def current(span: Span) -> Iterator[None]:
    """Make a span the current one for a while; it stays open."""
    with trace.use_span(span, end_on_exit=False, record_exception=False, set_status_on_exception=False):
        yield


def fail(span: Span, error: BaseException) -> None:
    """Note that an error came out; only its type, since its words may quote a prompt."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    span.set_attribute("error.type", name)
    span.set_status(Status(StatusCode.ERROR))


@contextmanager
def ended(span: Span) -> Iterator[None]:
    """End the span behind the block, as failed where an error comes out of it."""
    try:
        yield
    except GeneratorExit:
        # A caller that takes no more items is no failure.
        raise
    except BaseException as error:
        fail(span, error)
        raise
    finally:
        span.end()
