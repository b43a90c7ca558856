"""Calls of models as the official instrumentations tell them, without the work whose result nobody reads here.

Theirs also counts metrics, makes events and merges what calls inside this one told, with a hundred attributes read and written
for each call of a model, whether anybody listens or not. Ours ends in the same attributes (a test compares them). It knows the
inside of one version; beside any other, theirs is used as it is.
"""

# ruff: noqa: SLF001 -- what is private of theirs is what a call is made of

from __future__ import annotations

import sys
import timeit
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import SpanKind
from opentelemetry.trace.propagation import _SPAN_KEY as SPAN
from opentelemetry.util.genai._conversation_context import CONVERSATION_ID_KEY as CONVERSATION
from opentelemetry.util.genai._inference_invocation import CLIENT_INFERENCE_CONTEXT_KEY as TOLD_INSIDE
from opentelemetry.util.genai._inference_invocation import InferenceData, InferenceInvocation
from opentelemetry.util.genai.handler import TelemetryHandler
from opentelemetry.util.genai.types import Error

_PROTOCOL = "ParsableResponse"


@contextmanager
def handlers(instrumentor: ModuleType) -> Iterator[None]:
    """Within, what begins in this module of an instrumentation tells its calls by a ``Handler``; afterwards nothing else does."""
    names = vars(instrumentor)
    theirs = names.get("TelemetryHandler")
    if theirs is not TelemetryHandler:
        # One that somebody changed stays as it is.
        yield
        return
    names["TelemetryHandler"] = Handler
    try:
        yield
    finally:
        names["TelemetryHandler"] = theirs
    patch = sys.modules.get(f"{instrumentor.__name__}.patch")
    if hasattr(patch, _PROTOCOL):
        # For whoever instruments with it: what it says of an object is the same.
        setattr(patch, _PROTOCOL, Parsable)


class Handler(TelemetryHandler):
    """Makes calls that are told to us alone."""

    def inference(self, provider: str, *, context: Context | None = None, **named: Any) -> InferenceInvocation:
        """Start the span of a call of a model; one inside another call tells that one, as theirs does."""
        around = get_current() if context is None else context
        if type(around.get(TOLD_INSIDE)) is InferenceData:
            return super().inference(provider, context=context, **named)
        return Call(self, around, provider, **named)


class Call(InferenceInvocation):
    """One call of a model: has each attribute that theirs has, so that whatever else theirs does works on it."""

    def __init__(  # noqa: PLR0917 -- made for every call
        self,
        handler: Handler,
        around: Context,
        provider: str,
        request_model: str | None = None,
        server_address: str | None = None,
        server_port: int | None = None,
        operation_name: str | None = None,
        error_type_resolver: Any = None,
        _attach_to_context: bool = True,
        conversation_id: str | None = None,
    ) -> None:
        operation = operation_name or "chat"
        self.data = data = _nothing_told()
        data.provider_name, data.request_model, data.operation_name = provider, request_model, operation
        data.server_address, data.server_port, data.conversation_id = server_address, server_port, conversation_id
        data.input_messages, data.output_messages, data.system_instructions = [], [], []
        self.attributes, self.metric_attributes = data.attributes, data.metric_attributes
        self._provider, self._request_model, self._operation_name = provider, request_model, operation
        self._server_address, self._server_port = server_address, server_port
        self._tracer, self._instruments, self._logger = handler._tracer, handler._instruments, handler._logger
        self._completion_hook, self._content_capturing_mode = handler._completion_hook, handler._content_capturing_mode
        self._error_type_resolver = error_type_resolver
        self._emit_event, self._start_span, self._finished = False, True, False
        self._context_key, self._dataclass_class_object = TOLD_INSIDE, InferenceData
        self._request_stream = None
        self._ttfc_seconds: float | None = None
        self._stream_last_chunk_at: float | None = None
        asked = {"gen_ai.request.model": request_model, "server.address": server_address, "server.port": server_port}
        known = {name: value for name, value in asked.items() if value is not None}
        self._start_attributes = start = {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider, **known}
        if conversation_id is None:
            found = around.get(CONVERSATION)
            conversation_id = found if isinstance(found, str) else None
        self.conversation_id = conversation_id
        inside: dict[str, object] = {**around, TOLD_INSIDE: _nothing_told()}
        if conversation_id:
            inside[CONVERSATION] = conversation_id
        name = f"{operation} {request_model}" if request_model else operation
        self.span = inside[SPAN] = handler._tracer.start_span(name, around, SpanKind.CLIENT, start)
        self._span_context = Context(inside)
        self._attach_to_context = _attach_to_context
        self._context_token = attach(self._span_context) if _attach_to_context else None
        self._monotonic_start_s = timeit.default_timer()

    def _on_stream_chunk(self, chunk_at: float) -> None:
        if self._ttfc_seconds is None:
            self._ttfc_seconds = max(chunk_at - self._monotonic_start_s, 0.0)
            self.data.request_stream, self.data.response_time_to_first_chunk = True, self._ttfc_seconds
        self._stream_last_chunk_at = chunk_at

    def _apply_finish(self, error: Error | None = None) -> None:
        if error is not None:
            self._apply_error_attributes(error)
        inside = self._span_context.get(TOLD_INSIDE)
        if isinstance(inside, InferenceData) and _told(inside):
            self.enrich_from_context(inside)
        attributes = self._get_attributes()
        if self._should_capture_content_on_span:
            attributes.update(self._get_message_attributes(for_span=True))
        attributes.update(self.attributes)
        for name in self._start_attributes:
            attributes.pop(name, None)
        self.span.set_attributes(attributes)


def _nothing_told() -> InferenceData:
    """What a call says of itself, empty: its many other fields are None in the class."""
    data = object.__new__(InferenceData)
    data.attributes, data.metric_attributes = {}, {}
    return data


def _told(data: InferenceData) -> bool:
    own = vars(data)
    return len(own) > 2 or bool(own["attributes"] or own["metric_attributes"])


class _Shape(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        kind: Any = type(instance)
        return not _is_answer(kind) and getattr(instance, "parse", None) is not None


class Parsable(metaclass=_Shape):
    """What has a method ``parse``, as a protocol of ``typing`` says it in the time of a tenth of the call's whole instrumentation."""


@lru_cache(maxsize=256)
def _is_answer(kind: type) -> bool:
    """Whether it is a model of pydantic without such a method: these take long to say that they lack something."""
    return hasattr(kind, "model_fields") and not hasattr(kind, "parse")
