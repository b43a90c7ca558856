"""Spans that others make: which of them tell of LLMs, and what of them may be sent.

Our own instrumentations record no prompt unless they are told to. Others do it by default, so of their spans only what is
known to hold no text leaves the process where content may not be sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

Attributes = Mapping[str, Any]

_OURS = ("opentelemetry.instrumentation.genai.", "opentelemetry.instrumentation.google_genai", "llmobs_runtime.")

# Scope of a client library's own spans -> the library whose instrumentation tells the same calls.
NATIVE = {"com.anthropic.sdk.python": "anthropic"}

_STORES = (
    "llmobs_runtime.searches",
    *(f"opentelemetry.instrumentation.{name}" for name in ("chromadb", "milvus", "pinecone", "qdrant", "weaviate")),
)

_DSPY = "opentelemetry.instrumentation.genai.dspy"
_ASKED = re.compile(r"gen_ai\.usage\.|server\.|error\.")

_LLM_ATTRIBUTE = re.compile(r"(gen_ai|llm|traceloop|openinference|llmobs\.(validation|feedback|retrieval))\.")

_FRAMEWORKS = (
    r"llmobs_sdk|agent_framework|agno|autogen|beeai|crewai|dspy|gcp\.vertex\.agent|genkit|google\.adk|haystack|instructor|lang(chain|graph)|"
    r"litellm|llama[_-]index|mistralai|ollama|openinference|pydantic[_-]ai|semantic_kernel|smolagents|strands|traceloop"
)
_FRAMEWORK = re.compile(rf"(^|[^a-z])({_FRAMEWORKS})([^a-z]|$)", re.IGNORECASE)

_HARMLESS = re.compile(
    r"gen_ai\.(system|(operation|provider|workflow|agent|tool|prompt|evaluation)\.name|conversation\.id|data_source\.id|output\.type)|"
    r"gen_ai\.(agent\.(id|version)|tool\.(type|call\.id)|prompt\.version|evaluation\.score\.label|token\.type)|"
    r"gen_ai\.(request\.(model|reasoning\.level|service_tier|previous_response\.id|encoding_formats)|"
    r"response\.(id|model|finish_reasons|service_tier))|"
    r"(gen_ai\.)?openai\.(api\.type|(request|response)\.(service_tier|system_fingerprint))|"
    r"llm\.(request\.type|provider|system|model_name|response\.finish_reason)|(embedding|reranker)\.model_name|tool\.name|agent\.name|"
    r"traceloop\.(span\.kind|workflow\.name|entity\.(name|path))|openinference\.span\.kind|"
    r"llmobs\.(validation\.(check|outcome)|feedback\.kind)|llmobs\.run\..+|error\.type|server\.address|db\.(system|operation)|user\.id|session\.id|enduser\.id"
)


@lru_cache(maxsize=256)
def tells_each(scope: str) -> bool:
    """Whether each span of this scope that we make is one to send: asked for every call."""
    return is_ours(scope) and not is_store(scope) and scope != _DSPY


@lru_cache(maxsize=256)
def is_ours(scope: str) -> bool:
    """Whether spans of this scope come from an instrumentation that we may have switched on."""
    return scope.startswith(_OURS)


def is_store(scope: str) -> bool:
    """Whether spans of this scope are those of a vector store's client."""
    return scope.startswith(_STORES)


def is_framework(scope: str) -> bool:
    """Whether a scope is that of a framework for LLMs that makes spans by itself."""
    return bool(_FRAMEWORK.search(scope))


def is_remembered(scope: str, attributes: Attributes) -> bool:
    """Whether no model was asked: DSPy answered from its cache, and then knows of no server, no usage and no error."""
    return scope == _DSPY and attributes.get("gen_ai.operation.name") == "chat" and not any(map(_ASKED.match, attributes))


def tells_of_llms(attributes: Attributes) -> bool:
    """Whether a span with these attributes is of interest to us."""
    return any(_LLM_ATTRIBUTE.match(name) for name in attributes)


def without_content(attributes: Attributes) -> dict[str, Any]:
    """Return numbers, and of texts those that are known to be names: all else may quote a prompt."""
    return {name: value for name, value in attributes.items() if isinstance(value, (bool, int, float)) or _HARMLESS.fullmatch(name)}
