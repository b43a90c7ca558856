"""Searches in a knowledge base: how long they take and how much they find."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager

from opentelemetry.trace import Span

from llmobs_sdk.spans import Value, current, ended, start


class Retrieval:
    """A search that is under way."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def found(self, documents: Sized | int) -> None:
        """Say what was found: the documents, of which only the number is recorded, or their number."""
        count = documents if isinstance(documents, int) else len(documents)
        self._span.set_attribute("llmobs.retrieval.results", count)


@contextmanager
def retrieval(source: str = "", *, top_k: int | None = None) -> Iterator[Retrieval]:
    """Make a span of a search in ``source``; to be used with ``with``, also around ``await``."""
    named: dict[str, Value] = {"gen_ai.data_source.id": source} if source else {}
    asked: dict[str, Value] = {} if top_k is None else {"gen_ai.retrieval.top_k": top_k}
    span = start(f"retrieval {source}".rstrip(), {"gen_ai.operation.name": "retrieval", **named, **asked})
    with ended(span), current(span):
        yield Retrieval(span)
