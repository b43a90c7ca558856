"""The current conventions, since 1.37: gen_ai.provider.name, messages as span attributes."""

from __future__ import annotations

from llmobs.catalogue.generations import CACHE_READ, CACHE_WRITE, OPERATION, PROVIDER, REASONING, Generation, Rename

GENERATION = Generation(
    marks=(OPERATION, PROVIDER),
    renames=(
        Rename(CACHE_WRITE, "gen_ai.usage.cache_creation.input_tokens"),
        Rename(CACHE_WRITE, "gen_ai.usage.cache_creation_input_tokens"),
        Rename(CACHE_READ, "gen_ai.usage.cache_read_input_tokens"),
        Rename(REASONING, "gen_ai.usage.reasoning_tokens"),
    ),
    namespaces=("gen_ai", "openai"),
    metadata=(
        r"gen_ai\.(operation\.name|provider\.name|workflow\.name|conversation\.(id|compacted)|data_source\.id|output\.type)",
        r"gen_ai\.request\.(model|max_tokens|temperature|top_p|top_k|seed|choice\.count|frequency_penalty|presence_penalty)",
        r"gen_ai\.request\.(encoding_formats|stream|reasoning\.level|previous_response\.id|service_tier)",
        r"gen_ai\.response\.(id|model|finish_reasons|time_to_first_chunk|time_per_output_chunk|service_tier)",
        r"gen_ai\.usage\.[a-z0-9_.]+",
        r"gen_ai\.token\.(type|modality)",
        r"gen_ai\.agent\.(name|id|version)",
        r"gen_ai\.tool\.(name|type|call\.id)",
        r"gen_ai\.prompt\.(name|version)",
        r"gen_ai\.embeddings\.dimension\.count",
        r"gen_ai\.retrieval\.top_k",
        r"gen_ai\.evaluation\.(name|score\.value|score\.label)",
        r"openai\.(api\.type|request\.service_tier|response\.(service_tier|system_fingerprint))",
    ),
    cached_apart=("opentelemetry.instrumentation.genai.bedrock",),
)
