"""The current conventions, since 1.37: gen_ai.provider.name, messages as span attributes."""

from __future__ import annotations

from llmobs.catalogue.generations import CACHE_READ, CACHE_WRITE, OPERATION, PROVIDER, REASONING, Generation, Rename, under

_COUNTS = "input_tokens output_tokens cache_read.input_tokens cache_write.input_tokens"

GENERATION = Generation(
    marks=(OPERATION, PROVIDER),
    renames=(
        Rename(CACHE_WRITE, "gen_ai.usage.cache_creation.input_tokens"),
        Rename(CACHE_WRITE, "gen_ai.usage.cache_creation_input_tokens"),
        Rename(CACHE_WRITE, "gen_ai.usage.cache_write_input_tokens"),
        Rename(CACHE_READ, "gen_ai.usage.cache_read_input_tokens"),
        Rename(REASONING, "gen_ai.usage.reasoning_tokens"),
    ),
    namespaces=("gen_ai", "openai"),
    metadata=(
        *under("gen_ai", "operation.name provider.name workflow.name conversation.id conversation.compacted data_source.id output.type"),
        *under("gen_ai.request", "model max_tokens temperature top_p top_k seed choice.count frequency_penalty presence_penalty"),
        *under("gen_ai.request", "encoding_formats stream reasoning.level previous_response.id service_tier"),
        *under("gen_ai.response", "id model finish_reasons time_to_first_chunk time_per_output_chunk service_tier"),
        *under("gen_ai.usage", "input_tokens output_tokens total_tokens cost"),
        *under("gen_ai.usage", "cache_read.input_tokens cache_write.input_tokens cache_creation.input_tokens reasoning.output_tokens"),
        *under("gen_ai.usage", "cache_read_input_tokens cache_creation_input_tokens reasoning_tokens"),
        *(name for kind in ("text", "image", "audio", "video") for name in under(f"gen_ai.usage.{kind}", _COUNTS)),
        *under("gen_ai", "token.type token.modality agent.name agent.id agent.version tool.name tool.type tool.call.id"),
        *under("gen_ai", "prompt.name prompt.version embeddings.dimension.count retrieval.top_k"),
        *under("gen_ai.evaluation", "name score.value score.label"),
        *under("openai", "api.type request.service_tier response.service_tier response.system_fingerprint"),
    ),
    cached_apart=("opentelemetry.instrumentation.genai.bedrock",),
    # Of google-genai. Gemini's total of an interaction is the sum of its input, output and thoughts.
    thoughts_apart={"interactions.create": "generate_content"},
)
