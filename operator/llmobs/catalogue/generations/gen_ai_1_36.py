"""The conventions up to 1.36: gen_ai.system, messages as events."""

from __future__ import annotations

from llmobs.catalogue.generations import INPUT, OUTPUT, PROVIDER, Generation, Rename, under

GENERATION = Generation(
    marks=("gen_ai.system", "gen_ai.usage.prompt_tokens", "gen_ai.usage.completion_tokens"),
    renames=(
        Rename(PROVIDER, "gen_ai.system"),
        Rename(INPUT, "gen_ai.usage.prompt_tokens"),
        Rename(OUTPUT, "gen_ai.usage.completion_tokens"),
    ),
    namespaces=("gen_ai",),
    metadata=(
        "gen_ai.system",
        *under("gen_ai.usage", "prompt_tokens completion_tokens"),
        *under("gen_ai.openai.request", "service_tier system_fingerprint seed response_format"),
        *under("gen_ai.openai.response", "service_tier system_fingerprint seed response_format"),
    ),
)
