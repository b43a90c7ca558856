"""The application's own tracer providers: we listen to each, and stand in for the global one while there is none.

What is changed in OpenTelemetry's API for that is seen by nobody: the global provider stays what it would be, unset or the
application's, and so does what setting it does.
"""

from __future__ import annotations

from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.sdk.trace.sampling import Decision, SamplingResult

from llmobs_runtime import foreign, log
from llmobs_runtime.annotate import Annotations
from llmobs_runtime.quiet import QuietSpan, QuietTracerProvider, Through
from llmobs_runtime.recorder import Finished, Recorded


class Listener(SpanProcessor):
    """Takes what a provider makes, ours or one of the application's; never raises into it, and never makes it wait."""

    def __init__(self, annotations: Annotations, *, ours: bool) -> None:
        self._annotations = annotations
        self._ours = ours
        self._heard: list[int] = []

    def on_start(self, span: Span | Recorded, parent_context: Context | None = None) -> None:
        """Note a span."""
        try:
            self._annotations.started(span, parent_context, listened=not self._ours)
        except Exception as error:
            log.failure("a span", error)

    def on_end(self, span: Finished) -> None:
        """Take a span."""
        try:
            self._annotations.ended(span, listened=not self._ours)
        except Exception as error:
            log.failure("a span", error)

    def shutdown(self) -> None:
        """Nothing: our pipeline outlives the application's provider."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:  # noqa: ARG002
        """Nothing: whoever flushes waits for the application's backend, not for ours."""
        return True

    def listen(self, provider: Any) -> None:
        """Hear what a provider makes, once; one that is not of OpenTelemetry's SDK cannot be heard."""
        add = getattr(provider, "add_span_processor", None)
        if add is None or id(provider) in self._heard:
            return
        self._heard.append(id(provider))
        add(self)
        _keep_calls(getattr(provider, "sampler", None))
        log.debug("listening to a tracer provider of the application")


def _keep_calls(sampler: Any) -> None:
    """Have calls of models recorded that the sampler drops: not sampled, so that only we take them."""
    original = getattr(sampler, "should_sample", None)
    if original is None or hasattr(original, "llmobs"):
        return

    def should_sample(*arguments: Any, **named: Any) -> SamplingResult:
        result: SamplingResult = original(*arguments, **named)
        attributes = arguments[4] if len(arguments) > 4 else named.get("attributes")
        if result.decision is Decision.DROP and attributes and foreign.tells_of_llms(attributes):
            return SamplingResult(Decision.RECORD_ONLY, attributes, result.trace_state)
        return result

    vars(should_sample)["llmobs"] = True
    # On the object: tracers that exist hold it already.
    vars(sampler)["should_sample"] = should_sample


def follow(listener: Listener) -> None:
    """Listen to the global provider, now or as soon as the application sets it."""
    once = trace._TRACER_PROVIDER_SET_ONCE  # noqa: SLF001
    original = once.do_once

    def do_once(set_provider: Any) -> bool:
        done = original(set_provider)
        if done:
            _hear(listener)
        return done

    vars(once)["do_once"] = do_once
    _hear(listener)


def _hear(listener: Listener) -> None:
    try:
        listener.listen(trace._TRACER_PROVIDER)  # noqa: SLF001
    except Exception as error:
        log.failure("the application's tracer provider", error)


def stand_in(ours: QuietTracerProvider) -> None:
    """Let tracers that wait for a global provider make spans of ours until there is one, where they belong to a framework for LLMs.

    Other libraries' spans would cost the application time, and tell nothing of LLMs.
    """
    original = trace.ProxyTracer._tracer  # noqa: SLF001
    waiting = _Waiting()

    def tracer(self: Any) -> trace.Tracer:
        if trace._TRACER_PROVIDER is not None:  # noqa: SLF001
            found: trace.Tracer = original.fget(self)
            return found
        mine: trace.Tracer | None = vars(self).get("_llmobs")
        if mine is None:
            name = self._instrumenting_module_name
            mine = ours.get_tracer(name, self._instrumenting_library_version) if foreign.is_framework(name) else waiting
            vars(self)["_llmobs"] = mine
        return mine

    setattr(trace.ProxyTracer, "_tracer", property(tracer))  # noqa: B010 -- to the type checker it is a constant


class _Waiting(trace.NoOpTracer):
    """Makes no spans, and hides none of ours from what is below."""

    def start_span(self, name: str, context: Context | None = None, *arguments: Any, **named: Any) -> trace.Span:
        """Return a span that stands for the one around it."""
        current = trace.get_current_span(context)
        return Through(current) if isinstance(current, QuietSpan) else super().start_span(name, context, *arguments, **named)
