"""Switches on the official instrumentation of one library, with our provider and our content rule."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from types import ModuleType
from typing import Any

from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.instrumentation.dependencies import DependencyConflictError
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import TracerProvider
from opentelemetry.util.genai import handler
from opentelemetry.util.genai.completion_hook import _NoOpCompletionHook as NoUpload
from opentelemetry.util.genai.types import ContentCapturingMode
from opentelemetry.util.genai.version import __version__

from llmobs_runtime import log, neighbours
from llmobs_runtime.reasons import Reason, RefusedError

_LEAN = frozenset({"1.3b0"})
"""Versions of opentelemetry-util-genai whose calls we know to tell at less cost."""


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
        with _handlers(import_module(type(ours).__module__)):
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


def _handlers(instrumentor: ModuleType) -> AbstractContextManager[None]:
    """While an instrumentation begins: what makes it tell its calls at less cost, where we know how its version does it."""
    if __version__ not in _LEAN:
        return nullcontext()
    try:
        from llmobs_runtime import lean

        return lean.handlers(instrumentor)
    except Exception as error:
        log.failure("the official way to tell a call stays", error)
        return nullcontext()


def _own_instance(instrumentor: str) -> Any:
    """An instance beside the class's single one, which stays free for the application to instrument with."""
    module, _, name = instrumentor.partition(":")
    kind = getattr(import_module(module), name)
    own = object.__new__(kind)
    own.__init__()
    neighbours.ours.append(own)
    return own
