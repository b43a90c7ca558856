"""Instrumentations that the application switches on itself: ours for the same library makes way, before theirs begins.

Every instrumentation derives from one class, OpenTelemetry's own, OpenLLMetry's and OpenInference's alike; its method is
watched from the moment of its import. Standard library only: applications import that class without using any LLM.
"""

from __future__ import annotations

import functools
import os
import re
import sys

from llmobs_runtime import log
from llmobs_runtime.libraries import INSTRUMENTOR_BASE, VECTOR_STORES_WANTED

TYPE_CHECKING = False  # typing itself would cost every process some milliseconds
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType
    from typing import Any

_LIBRARIES = {
    "openai": "openai",
    "anthropic": "anthropic",
    "google-genai": "google.genai",
    "boto3": "botocore.client",
    "langchain": "langchain_core",
    "langchain-core": "langchain_core",
    "llama-index": "llama_index.core",
    "llama-index-core": "llama_index.core",
    "openai-agents": "agents.tracing",
    "agno": "agno",
    "dspy": "dspy",
    "portkey-ai": "portkey_ai",
    "qwen-agent": "qwen_agent",
    "smolagents": "smolagents",
}
"""What an instrumentation says that it needs -> our name of the library."""

# Not Weaviate: of its client 4 no other instrumentation tells a search, so that ours would make way for none.
_VECTOR_STORES = {
    "chromadb": "chromadb",
    "pinecone": "pinecone",
    "pinecone-client": "pinecone",
    "pymilvus": "pymilvus",
    "qdrant-client": "qdrant_client",
}

ours: list[Any] = []
"""Our own instances of instrumentations."""
theirs: set[str] = set()
"""Libraries that the application instruments."""


def watch(module: ModuleType, make_way: Callable[[str], None], begun: Callable[[str, Any], None]) -> None:
    """Watch the class of this module, once: ``make_way`` is called before an application instruments a library, ``begun`` after.

    ``begun`` also gets the provider that the application named, or None.
    """
    base = module.BaseInstrumentor
    original = base.instrument
    if "llmobs" in vars(original):
        return

    @functools.wraps(original)
    def instrument(self: Any, **named: Any) -> Any:
        library = _library_of(self)
        if library is None or library in theirs:
            return original(self, **named)
        # Even before: it may import the library, and so wake us.
        theirs.add(library)
        try:
            make_way(library)
        except Exception as error:
            log.failure(f"{library}: ours remains", error)
        try:
            return original(self, **named)
        finally:
            if not self.is_instrumented_by_opentelemetry:
                theirs.discard(library)
            try:
                begun(library, named.get("tracer_provider"))
            except Exception as error:
                log.failure(library, error)

    vars(instrument)["llmobs"] = True
    base.instrument = instrument


def already(library: str) -> bool:
    """Whether the application instruments a library, maybe since before we watched."""
    module = sys.modules.get(INSTRUMENTOR_BASE)
    if module is not None and library not in theirs:
        for kind in _kinds(module.BaseInstrumentor):
            instance = vars(kind).get("_instance")
            if instance is not None and instance.is_instrumented_by_opentelemetry and _library_of(instance) == library:
                theirs.add(library)
    return library in theirs


def _kinds(base: Any) -> Iterator[Any]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _library_of(instrumentor: Any) -> str | None:
    """The library that an instrumentation of the application is for; None for ours, and for those of no concern."""
    if any(instrumentor is instance for instance in ours):
        return None
    try:
        needed = [re.split(r"[^\w.-]", text.strip())[0].lower().replace("_", "-") for text in instrumentor.instrumentation_dependencies()]
    except Exception:
        return None
    known = {**_LIBRARIES, **_VECTOR_STORES} if os.environ.get(VECTOR_STORES_WANTED) == "true" else _LIBRARIES
    return next((known[name] for name in needed if name in known), None)
