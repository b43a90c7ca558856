"""What is sent of each finished span: completed by what its instrumentation does not know, or nothing where it would count twice.

The spans may be the application's own, so nothing is set on them: what we send is a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opentelemetry import baggage
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, get_current_span

from llmobs_runtime import foreign
from llmobs_runtime.identity import ProcessResource
from llmobs_runtime.recorder import Finished
from llmobs_runtime.runs import AGENT, CALLS, RETRIEVAL, TOOL, Run, name_of, operation_of

_MOST_OPEN_SPANS = 65536
_LONGEST_VALUE = 256

_NAMES = {AGENT: "gen_ai.agent.name", "invoke_workflow": "gen_ai.workflow.name"}
"""What the calls below a span take over from it: cost is told by agent and by workflow."""


@dataclass
class Open:
    """A span that has not ended, and what its surroundings say of it."""

    span: Finished
    around: Open | None
    listened: bool
    """Whether another provider than ours made it."""
    said: Mapping[str, str] = field(default_factory=dict)
    run: Run | None = None
    told_below: bool = False
    """Whether a call inside this one told of the same request of a model."""

    def operation(self) -> str:
        """What the span does, as far as it has said so."""
        return operation_of(self.span.attributes or {})

    def joined(self) -> Run | None:
        """The run; one begins here when the span has turned out to be an agent's: some say so only after the start."""
        if self.run is None and self.operation() == AGENT:
            self.run = Run(number(self.span))
        return self.run

    def enclosing(self) -> Iterator[Open]:
        """The spans around this one, the nearest first."""
        around = self.around
        while around is not None:
            yield around
            around = around.around

    def same_request(self) -> Iterator[Open]:
        """The calls around this one that tell of the same request: between them stands neither a tool nor an agent."""
        operation = self.operation()
        if operation not in CALLS:
            return
        for around in self.enclosing():
            other = around.operation()
            if other in {AGENT, TOOL}:
                return
            if CALLS.get(other) == CALLS[operation]:
                yield around


@dataclass(frozen=True)
class Rules:
    """What is sent: baggage ``keys`` as attributes; texts of others only with ``content``; the process's own ``resource``."""

    keys: Sequence[str]
    content: bool
    resource: ProcessResource
    told_by_us: Callable[[str], bool] = lambda _: False
    """Whether an instrumentation tells the calls of a library."""


class Annotations:
    """Follows the open spans of all providers, and hands what is to be sent to ``following``."""

    def __init__(self, following: Callable[[Finished], None], rules: Rules) -> None:
        self._following = following
        self._rules = rules
        self._open: dict[int, Open] = {}

    def started(self, span: Finished, context: Context | None, *, listened: bool) -> None:
        """Note a span that starts."""
        # Of a span of the application's the parent that it shows is never ours.
        above = number(_real(get_current_span(context))) if listened else span.parent.span_id if span.parent else 0
        around = self._open.get(above)
        if len(self._open) >= _MOST_OPEN_SPANS:
            # Spans that are never ended must not fill the memory.
            self._open.pop(next(iter(self._open)), None)
        self._open[number(span)] = Open(span, around, listened, self._said(context), around.joined() if around else None)

    def ended(self, span: Finished, *, listened: bool) -> None:
        """Complete a span that ended, and hand it on unless another one tells the same."""
        # It may have started before we listened, or so long ago that it was forgotten.
        known = self._open.pop(number(span), None) or Open(span, None, listened)
        if not self._told(known):
            return
        doubles = list(known.same_request()) if known.around else ()
        for double in doubles:
            double.told_below = True
        added = self._added(known, span)
        if added or doubles or known.listened or self._is_foreign(span):
            span = self._copy(known, span, added, doubles)
        self._following(span)

    def _told(self, known: Open) -> bool:
        """Whether the span is sent at all."""
        if known.told_below:
            return False
        scope = _scope(known.span)
        if not known.listened and foreign.tells_each(scope):
            return True
        attributes = known.span.attributes or {}
        if foreign.is_remembered(scope, attributes):
            return False
        if foreign.is_store(scope) and any(around.operation() == RETRIEVAL for around in known.enclosing()):
            # A framework's retrieval, or a search that is made of others, already counts as one.
            return False
        if self._rules.told_by_us(foreign.NATIVE.get(scope, "")):
            return False
        return not known.listened or foreign.tells_of_llms(attributes)

    def _added(self, known: Open, span: Finished) -> dict[str, Any]:
        attributes = span.attributes or {}
        operation = operation_of(attributes)
        names = _inherited(known) if known.around and (operation in CALLS or operation == TOOL) else {}
        added: dict[str, Any] = {key: value for key, value in {**names, **known.said}.items() if key not in attributes}
        run = known.joined()
        if run is not None and run.root == number(span):
            added |= run.summary()
        elif run is not None:
            run.add(span)
        return added

    def _said(self, context: Context | None) -> Mapping[str, str]:
        entries = baggage.get_all(context)
        return {key: str(entries[key])[:_LONGEST_VALUE] for key in self._rules.keys if key in entries} if entries else {}

    def _is_foreign(self, span: Finished) -> bool:
        return not foreign.is_ours(_scope(span))

    def _copy(self, known: Open, span: Finished, added: Mapping[str, Any], doubles: Sequence[Open]) -> Finished:
        # Also so that what is added escapes the user's limit on the number of attributes.
        bare = not self._rules.content and (known.listened or self._is_foreign(span))
        own = foreign.without_content(span.attributes or {}) if bare else span.attributes or {}
        return ReadableSpan(
            name=span.name,
            context=span.get_span_context(),
            # What stands around the same request is not sent.
            parent=doubles[-1].span.parent if doubles else span.parent,
            resource=self._rules.resource.current() if known.listened else span.resource,
            attributes={**own, **added},
            events=() if bare else span.events,
            links=span.links,
            kind=span.kind,
            status=Status(span.status.status_code) if bare else span.status,
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )


def number(span: Any) -> int:
    """The identifier of a span within its trace; 0 where there is none."""
    context: SpanContext | None = span.get_span_context()
    return context.span_id if context else 0


def _inherited(known: Open) -> dict[str, Any]:
    """The nearest agent's and workflow's names."""
    found: dict[str, Any] = {}
    for around in known.enclosing():
        name = _NAMES.get(around.operation())
        if name and name not in found and (value := name_of(around.span.attributes or {}, name)):
            found[name] = value
    return found


def _real(span: Any) -> Any:
    """The span that a quiet one stands for."""
    return getattr(span, "real", span)


def _scope(span: Finished) -> str:
    scope = span.instrumentation_scope
    return scope.name if scope else ""
