"""OpenInference: names of its own for everything; prompts and answers as attributes."""

from __future__ import annotations

from llmobs.catalogue.generations import (
    AGENT,
    AUDIO_INPUT,
    AUDIO_OUTPUT,
    CACHE_READ,
    CACHE_WRITE,
    INPUT,
    OUTPUT,
    PROVIDER,
    REASONING,
    REQUEST_MODEL,
    TOOL,
    Generation,
    Rename,
    under,
)

KIND = "openinference.span.kind"

GENERATION = Generation(
    marks=(KIND,),
    renames=(
        Rename(PROVIDER, "llm.provider"),
        Rename(PROVIDER, "llm.system"),
        Rename(REQUEST_MODEL, "llm.model_name"),
        Rename(REQUEST_MODEL, "embedding.model_name"),
        Rename(INPUT, "llm.token_count.prompt"),
        Rename(OUTPUT, "llm.token_count.completion"),
        Rename(CACHE_READ, "llm.token_count.prompt_details.cache_read"),
        Rename(CACHE_WRITE, "llm.token_count.prompt_details.cache_write"),
        Rename(REASONING, "llm.token_count.completion_details.reasoning"),
        Rename(AUDIO_INPUT, "llm.token_count.prompt_details.audio"),
        Rename(AUDIO_OUTPUT, "llm.token_count.completion_details.audio"),
        Rename(TOOL, "tool.name"),
        Rename(AGENT, "agent.name"),
    ),
    operations={
        KIND: {"LLM": "chat", "EMBEDDING": "embeddings", "TOOL": "execute_tool", "AGENT": "invoke_agent", "RETRIEVER": "retrieval"}
    },
    namespaces=("openinference", "llm", "embedding", "reranker", "retrieval", "document", "message", "input", "output", "tool", "agent"),
    metadata=(
        KIND,
        *under("llm", "provider system model_name token_count.prompt token_count.completion token_count.total"),
        *under("llm.token_count.prompt_details", "cache_read cache_write cache_input cached audio"),
        *under("llm.token_count.completion_details", "reasoning audio"),
        *("embedding.model_name", "reranker.model_name", "reranker.top_k", "input.mime_type", "output.mime_type"),
        *("tool.name", "tool.id", "agent.name", "agent.id"),
    ),
    beside=("openinference.instrumentation.langchain",),
)
