"""Switches on the official instrumentation of one library, with our provider and our content rule."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module
from typing import Any

from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import TracerProvider
from opentelemetry.util.genai import handler
from opentelemetry.util.genai.completion_hook import _NoOpCompletionHook as NoUpload
from opentelemetry.util.genai.types import ContentCapturingMode

from llmobs_runtime import neighbours
from llmobs_runtime.reasons import Reason, RefusedError


def instrument(instrumentor: str, provider: TracerProvider, *, content: bool, needs: Collection[str] = ()) -> Any:
    """Instrument the library that this class (``module:name``) is for, and return what did it; raise RefusedError where that cannot be.

    Spans only: the gateway derives every metric from them. ``needs``: versions of the library, in place of what the class says itself.
    """
    ours = _own_instance(instrumentor)
    if needs:
        ours.instrumentation_dependencies = lambda: needs
    # It is read once, now, from a variable that the application may be using for an instrumentation of its own.
    read = "get_content_capturing_mode"
    original = vars(handler)[read]
    mode = ContentCapturingMode.SPAN_ONLY if content else ContentCapturingMode.NO_CONTENT
    vars(handler)[read] = lambda: mode
    try:
        ours.instrument(
            tracer_provider=provider,
            meter_provider=NoOpMeterProvider(),
            logger_provider=NoOpLoggerProvider(),
            # An upload hook that the user configured belongs to the application's own instrumentation.
            completion_hook=NoUpload(),
            raise_exception_on_conflict=True,
        )
    except DependencyConflictError as conflict:
        raise RefusedError(Reason.UNSUPPORTED_LIBRARY, str(conflict)) from conflict
    finally:
        vars(handler)[read] = original
    return ours


def _own_instance(instrumentor: str) -> Any:
    """An instance beside the class's single one, which stays free for the application to instrument with."""
    module, _, name = instrumentor.partition(":")
    kind = getattr(import_module(module), name)
    own = object.__new__(kind)
    own.__init__()
    neighbours.ours.append(own)
    return own
