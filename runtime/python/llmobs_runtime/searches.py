"""Tells the searches of vector stores' clients: one span for each, with nothing of what was asked and found but how many documents.

Wrappers of our own, since those of other projects time the making of a coroutine instead of its search, empty a generator that
is to be written, refuse newer clients, or see no search at all. Only searches are touched.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from opentelemetry.trace import Span, SpanKind, Tracer

from llmobs_runtime.libraries import VECTOR_STORES
from llmobs_runtime.quiet import QuietTracerProvider
from llmobs_runtime.runs import RETRIEVAL

SCOPE = "llmobs_runtime.searches"
RESULTS = "llmobs.retrieval.results"


@dataclass(frozen=True)
class Store:
    """One store's client: its name, the classes and methods that search, and how many documents an answer of theirs holds."""

    system: str
    span: str
    classes: frozenset[str]
    methods: tuple[str, ...]
    count: Callable[[Any], int]


def _in_chroma(found: Any) -> int:
    return sum(map(len, found["ids"]))


def _in_milvus(found: Any) -> int:
    # Hits for each vector that was asked for; of a query, one row for each document.
    return sum(1 if isinstance(each, dict) else len(each) for each in found)


def _in_pinecone(found: Any) -> int:
    return len(found.matches if hasattr(found, "matches") else found.result.hits)


def _in_qdrant(found: Any) -> int:
    if hasattr(found, "groups"):
        return sum(len(group.hits) for group in found.groups)
    if hasattr(found, "points"):
        return len(found.points)
    return sum(_in_qdrant(each) if hasattr(each, "points") or isinstance(each, list) else 1 for each in found)


def _in_weaviate(found: Any) -> int:
    return len(found.objects)


STORES = {
    "chromadb": Store("chroma", "chroma", frozenset({"Collection", "AsyncCollection"}), ("query", "search"), _in_chroma),
    "pinecone": Store(
        "Pinecone",
        "pinecone",
        frozenset({"Index", "IndexAsyncio", "_IndexAsyncio", "AsyncIndex", "GRPCIndex", "GrpcIndex", "Documents", "AsyncDocuments"}),
        ("query", "query_namespaces", "search", "search_records"),
        _in_pinecone,
    ),
    "pymilvus": Store(
        "milvus", "milvus", frozenset({"MilvusClient", "AsyncMilvusClient"}), ("search", "hybrid_search", "query"), _in_milvus
    ),
    "qdrant_client": Store(
        "Qdrant",
        "qdrant",
        frozenset({"QdrantClient", "AsyncQdrantClient"}),
        (
            *("query_points", "query_batch_points", "query_points_groups", "search", "search_batch", "search_groups"),
            *("recommend", "recommend_batch", "recommend_groups", "discover", "discover_batch"),
        ),
        _in_qdrant,
    ),
    "weaviate": Store(
        "weaviate",
        "weaviate",
        frozenset({"_QueryCollection", "_QueryCollectionAsync"}),
        ("near_vector", "near_text", "near_object", "near_image", "near_media", "hybrid", "bm25"),
        _in_weaviate,
    ),
}

_NOT_WAITED_FOR = ("async_req", "async_threadpool_executor")
"""Arguments of Pinecone's that have it answer with a promise."""


class Searches:
    """The wrapped methods of one module."""

    def __init__(self, module: ModuleType, provider: QuietTracerProvider) -> None:
        store = STORES[VECTOR_STORES[module.__name__]]
        tracer = provider.without_content().get_tracer(SCOPE)
        self._before: list[tuple[type, str, Any]] = []
        # A class may have two names, and one that is only imported here is another module's.
        named = dict.fromkeys(kind for name, kind in vars(module).items() if name in store.classes)
        for kind in [kind for kind in named if kind.__module__ == module.__name__]:
            for method in store.methods:
                original = getattr(kind, method, None)
                if original is not None:
                    self._before.append((kind, method, vars(kind).get(method)))
                    setattr(kind, method, _wrapped(original, _Teller(tracer, store, method), later="Async" in kind.__name__))

    def uninstrument(self) -> None:
        """Put back what was there."""
        for kind, method, before in self._before:
            if before is None:
                # It is inherited.
                delattr(kind, method)
            else:
                setattr(kind, method, before)


@dataclass(frozen=True)
class _Teller:
    tracer: Tracer
    store: Store
    method: str

    @contextmanager
    def telling(self) -> Iterator[Callable[[Any], None]]:
        """Tell of the search that happens meanwhile; what is called is given what it found."""
        named = {"gen_ai.operation.name": RETRIEVAL, "db.system": self.store.system, "db.operation": self.method}
        with self.tracer.start_as_current_span(f"{self.store.span}.{self.method}", kind=SpanKind.CLIENT, attributes=named) as span:
            try:
                yield functools.partial(self._found, span)
            except BaseException as error:
                span.set_attribute("error.type", type(error).__qualname__)
                raise

    def _found(self, span: Span, answer: Any) -> None:
        try:
            count = self.store.count(answer)
        except Exception:
            # A shape that nobody knows yet; how long it took is known all the same.
            return
        span.set_attribute(RESULTS, count)


def _wrapped(original: Any, teller: _Teller, *, later: bool) -> Any:
    async def waited(answer: Awaitable[Any]) -> Any:
        with teller.telling() as found:
            told = await answer
            found(told)
        return told

    @functools.wraps(original)
    async def search_later(*arguments: Any, **named: Any) -> Any:
        return await waited(original(*arguments, **named))

    @functools.wraps(original)
    def search_plainly_later(*arguments: Any, **named: Any) -> Any:
        answer = original(*arguments, **named)
        return waited(answer) if inspect.iscoroutine(answer) else answer

    @functools.wraps(original)
    def search(*arguments: Any, **named: Any) -> Any:
        if any(named.get(name) for name in _NOT_WAITED_FOR):
            return original(*arguments, **named)
        with teller.telling() as found:
            answer = original(*arguments, **named)
            found(answer)
        return answer

    if inspect.iscoroutinefunction(original):
        return search_later
    # The methods of Weaviate and the decorators of Pinecone return a coroutine without being coroutine functions.
    return search_plainly_later if later else search
