"""What the runtime writes on the span of an agent run: span attributes, counted inside the process over the whole run.

A run is the outermost ``invoke_agent`` span; what agents below it do counts towards it. The lists are parallel: one element
for each model, in the order of its first call. Tokens are counted as on the spans of the calls: input with the cached ones, output
with the reasoning ones.
"""

from __future__ import annotations

PREFIX = "llmobs.run."

STEPS = "llmobs.run.steps"
"""Integer: calls of a model that answer (chat, text completion), those that failed too; embeddings are none."""
TOOL_CALLS = "llmobs.run.tool_calls"
"""Integer: executions of tools."""
LOOP_TOOL = "llmobs.run.loop.tool"
"""Text: the tool that was executed most often in a row; absent when none was."""
LOOP_COUNT = "llmobs.run.loop.count"
"""Integer: how often that was; executions that overlap in time are not in a row. 0 when no tool was executed."""
MODELS = "llmobs.run.models"
"""List of texts ``provider/model``, split at the first slash; the provider as the span had it, the model as it was asked for."""
INPUT_TOKENS = "llmobs.run.input_tokens"
"""List of integers, embeddings included."""
CACHE_READ_TOKENS = "llmobs.run.cache_read_tokens"
CACHE_WRITE_TOKENS = "llmobs.run.cache_write_tokens"
OUTPUT_TOKENS = "llmobs.run.output_tokens"
REASONING_TOKENS = "llmobs.run.reasoning_tokens"

TOKENS = (INPUT_TOKENS, CACHE_READ_TOKENS, CACHE_WRITE_TOKENS, OUTPUT_TOKENS, REASONING_TOKENS)
"""The lists of integers, parallel to MODELS."""
