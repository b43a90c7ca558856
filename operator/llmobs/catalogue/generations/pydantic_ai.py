"""Pydantic AI's native spans: current names, but the parts of the usage under names of its own."""

from __future__ import annotations

from llmobs.catalogue.generations import CACHE_READ, CACHE_WRITE, REASONING, Generation, Rename

_RENAMES = (
    Rename(CACHE_READ, "gen_ai.usage.details.cache_read_tokens"),
    Rename(CACHE_WRITE, "gen_ai.usage.details.cache_write_tokens"),
    Rename(REASONING, "gen_ai.usage.details.reasoning_tokens"),
)

GENERATION = Generation(marks=tuple(item.old for item in _RENAMES), renames=_RENAMES, namespaces=("gen_ai", "pydantic_ai"))
