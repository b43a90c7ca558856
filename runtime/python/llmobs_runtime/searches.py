"""Switches on OpenLLMetry's instrumentation of a vector store: one span for each search, with nothing of what was asked or found.

Only searches are wrapped: its wrappers of writes read what is to be written, and so empty a generator before the client sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Tracer, TracerProvider
from opentelemetry.util.types import Attributes, AttributeValue

from llmobs_runtime.instrument import instrument as switch_on
from llmobs_runtime.quiet import QuietSpan, QuietTracerProvider
from llmobs_runtime.runs import RETRIEVAL

_SEARCHES = frozenset(
    {
        *("query", "query_batch", "query_points", "query_batch_points", "search", "search_batch", "search_groups", "hybrid_search"),
        *("recommend", "recommend_batch", "recommend_groups", "discover", "discover_batch"),
    }
)
_WORDS = frozenset({"db.system", "db.operation", "error.type", "server.address"})
"""Texts that are no content; what is a number is none either."""


def instrument(instrumentor: str, provider: QuietTracerProvider) -> Any:
    """Instrument the store that this class (``module:name``) is for, and return what did it; raise RefusedError where that cannot be."""
    module: Any = import_module(instrumentor.partition(":")[0])
    every = module.WRAPPED_METHODS
    module.WRAPPED_METHODS = [method for method in every if _is_search(method)]
    try:
        return switch_on(instrumentor, _Provider(provider.without_content()), content=False)
    finally:
        # The module may be the application's own, and serve its instrumentation too.
        module.WRAPPED_METHODS = every


def _is_search(method: Mapping[str, Any]) -> bool:
    # Of a coroutine the wrapper would measure the making, not the search.
    return method["method"] in _SEARCHES and not method["object"].startswith("Async")


def _kept(attributes: Attributes) -> dict[str, AttributeValue]:
    return {name: value for name, value in (attributes or {}).items() if name in _WORDS or isinstance(value, (bool, int, float))}


class _Search(QuietSpan):
    """What the instrumentation writes on: vectors, filters and documents end here."""

    def __init__(self, span: Span) -> None:
        super().__init__(span, span.get_span_context(), content=False)

    def set_attributes(self, attributes: Mapping[str, AttributeValue]) -> None:
        """Set those that are no content."""
        super().set_attributes(_kept(attributes))

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        """Set it if it is no content."""
        self.set_attributes({key: value})

    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Leave it out: its events hold vectors and documents."""


class _Tracer(Tracer):
    """Starts retrievals."""

    def __init__(self, quiet: Tracer) -> None:
        self._quiet = quiet

    def start_span(self, name: str, *arguments: Any, attributes: Attributes = None, **named: Any) -> Span:
        """Start a retrieval."""
        return _Search(self._quiet.start_span(name, *arguments, attributes=_retrieval(attributes), **named))

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # noqa: PLR0917 -- the interface's
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: list[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[Span]:
        """Start a retrieval and make it current."""
        told = (_retrieval(attributes), links, start_time, record_exception, set_status_on_exception, end_on_exit)
        with self._quiet.start_as_current_span(name, context, kind, *told) as span:
            yield _Search(span)


class _Provider(TracerProvider):
    def __init__(self, quiet: QuietTracerProvider) -> None:
        self._quiet = quiet

    def get_tracer(self, *arguments: Any, **named: Any) -> Tracer:
        """Return a tracer of this name."""
        return _Tracer(self._quiet.get_tracer(*arguments, **named))


def _retrieval(attributes: Attributes) -> dict[str, AttributeValue]:
    return {**_kept(attributes), "gen_ai.operation.name": RETRIEVAL}
