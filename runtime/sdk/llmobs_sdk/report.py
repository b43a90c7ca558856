"""What is known only after an answer: scores of evaluations, checks of its form, what its user said.

Each is a span of its own, so that it may come minutes later and from another process than the answer.
"""

from __future__ import annotations

import math
from typing import TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import SpanContext, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.trace.span import NonRecordingSpan

from llmobs_sdk.spans import Value, start

Judged: TypeAlias = "SpanContext | str | None"
"""The span that is judged: its context, or a W3C ``traceparent`` that was kept with the answer; None is the current one."""


def score(name: str, value: float, *, label: str | None = None, on: Judged = None) -> None:
    """Report an evaluation's score of an answer, such as ``score("faithfulness", 0.9)``; what is no finite number is left out."""
    if not math.isfinite(value):
        return
    said: dict[str, Value] = {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": float(value)}
    _report(f"evaluation {name}", said | ({"gen_ai.evaluation.score.label": label} if label else {}), on)


def validation(check: str, *, passed: bool, on: Judged = None) -> None:
    """Report how a check of an answer ended, such as ``validation("json", passed=False)``."""
    outcome = "passed" if passed else "failed"
    _report(f"validation {check}", {"llmobs.validation.check": check, "llmobs.validation.outcome": outcome}, on)


def feedback(kind: str, *, on: Judged = None) -> None:
    """Report what a user said of an answer or did with it, such as ``feedback("up")``: one of a few words, no free text."""
    _report(f"feedback {kind}", {"llmobs.feedback.kind": kind}, on)


def _report(name: str, attributes: dict[str, Value], on: Judged) -> None:
    start(name, attributes, _context(on)).end()


def _context(on: Judged) -> Context | None:
    if on is None:
        return None
    if isinstance(on, str):
        return TraceContextTextMapPropagator().extract({"traceparent": on})
    return set_span_in_context(NonRecordingSpan(on))
