"""OpenLLMetry: current names for usage, its own for the kind of call; prompts and answers as numbered attributes."""

from __future__ import annotations

from llmobs.catalogue.generations import AGENT, TOOL, WORKFLOW, Generation, Rename, under

KIND = "traceloop.span.kind"

GENERATION = Generation(
    marks=("llm.request.type", KIND, "traceloop.workflow.name"),
    renames=(
        Rename(TOOL, "traceloop.entity.name", when=(KIND, "tool")),
        Rename(AGENT, "traceloop.entity.name", when=(KIND, "agent")),
        Rename(WORKFLOW, "traceloop.workflow.name"),
    ),
    operations={
        "llm.request.type": {"chat": "chat", "completion": "text_completion", "embedding": "embeddings"},
        KIND: {"tool": "execute_tool", "agent": "invoke_agent"},
    },
    namespaces=("llm", "traceloop"),
    metadata=(
        *under("llm", "request.type is_streaming usage.total_tokens response.finish_reason top_k frequency_penalty presence_penalty"),
        *under("traceloop", "span.kind workflow.name entity.name entity.path entity.version"),
    ),
    cached_apart=("opentelemetry.instrumentation.bedrock",),
    reasoning_apart=("opentelemetry.instrumentation.google_generativeai",),
)
