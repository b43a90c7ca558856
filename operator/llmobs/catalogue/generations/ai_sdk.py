"""The AI SDK for JavaScript (npm ``ai``): spans of its own making around calls to models, whose inner spans are the calls.

Names: https://ai-sdk.dev/docs/ai-sdk-core/telemetry. Its outer spans (``ai.generateText``) repeat the usage of the calls inside them.
"""

from __future__ import annotations

from llmobs.catalogue.generations import (
    CACHE_READ,
    FIRST_CHUNK,
    INPUT,
    OUTPUT,
    PROVIDER,
    REASONING,
    REQUEST_MODEL,
    RESPONSE_MODEL,
    TOOL,
    Generation,
    Rename,
    under,
)

KIND = "ai.operationId"

GENERATION = Generation(
    marks=(KIND,),
    renames=(
        Rename(PROVIDER, "ai.model.provider"),
        Rename(REQUEST_MODEL, "ai.model.id"),
        Rename(RESPONSE_MODEL, "ai.response.model"),
        Rename(INPUT, "ai.usage.inputTokens"),
        Rename(INPUT, "ai.usage.promptTokens"),
        Rename(INPUT, "ai.usage.tokens"),
        Rename(OUTPUT, "ai.usage.outputTokens"),
        Rename(OUTPUT, "ai.usage.completionTokens"),
        Rename(CACHE_READ, "ai.usage.cachedInputTokens"),
        Rename(REASONING, "ai.usage.reasoningTokens"),
        Rename(FIRST_CHUNK, "ai.response.msToFirstChunk", scale=0.001),
        Rename(TOOL, "ai.toolCall.name"),
    ),
    operations={
        KIND: {
            "ai.generateText.doGenerate": "chat",
            "ai.streamText.doStream": "chat",
            "ai.generateObject.doGenerate": "chat",
            "ai.streamObject.doStream": "chat",
            "ai.embed.doEmbed": "embeddings",
            "ai.embedMany.doEmbed": "embeddings",
            "ai.toolCall": "execute_tool",
        }
    },
    namespaces=("ai",),
    metadata=under("ai", "toolCall.id response.id response.finishReason usage.totalTokens"),
)
