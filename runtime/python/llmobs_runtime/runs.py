"""Counts what happens in a run of an agent: the summary goes on the run's own span.

A gateway that wanted to know would have to hold every span of a run until it ends, hours maybe, on one replica. Here the
spans pass anyway. A run is the outermost span of an agent; the memory it takes does not grow with its length.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmobs_runtime.recorder import Finished

Attributes = Mapping[str, Any]

AGENT, TOOL, RETRIEVAL = "invoke_agent", "execute_tool", "retrieval"

# Attribute of the summary -> attributes of a call that hold the count, the current name first.
TOKENS = {
    "llmobs.run.input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt"),
    "llmobs.run.cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "llm.token_count.prompt_details.cache_read",
    ),
    "llmobs.run.cache_write_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.token_count.prompt_details.cache_write",
    ),
    "llmobs.run.output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion"),
    "llmobs.run.reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
    ),
}
INTERACTION = "interactions.create"
"""What google-genai's instrumentation calls a call of a model that way; the thoughts stand beside the output tokens there."""
_STEP, _EMBEDDING = "step", "embedding"
CALLS = {"chat": _STEP, "generate_content": _STEP, INTERACTION: _STEP, "text_completion": _STEP, "embeddings": _EMBEDDING}
"""Operations that ask a model and cost money; two of one kind, one in the other, tell of the same request."""
# What the spans of OpenLLMetry and OpenInference say instead of gen_ai.operation.name.
_OPERATIONS = {
    "traceloop.span.kind": {"agent": AGENT, "tool": TOOL, "workflow": "invoke_workflow"},
    "llm.request.type": {"chat": "chat", "completion": "text_completion", "embedding": "embeddings"},
    "openinference.span.kind": {"LLM": "chat", "EMBEDDING": "embeddings", "TOOL": TOOL, "AGENT": AGENT},
}
_MODELS = ("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "embedding.model_name")
_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
_LOCK_SECONDS = 0.1
_BESIDE = frozenset({"openinference.instrumentation.langchain"})
"""Scopes whose span of a call stands beside that of the client's library: equal figures tell that both are one request."""
_REMEMBERED = 64
"""Calls of one run that wait for such a span. Of what is forgotten both count."""


@dataclass
class Run:
    """Running totals; ``root`` is the number of the run's own span, times are in nanoseconds."""

    root: int
    steps: int = 0
    tool_calls: int = 0
    tool: str = ""
    row: int = 0
    row_end: int = 0
    loop_tool: str = ""
    loop_count: int = 0
    models: dict[str, dict[str, int]] = field(default_factory=dict)
    told: deque[tuple[Any, ...]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    # Reentrant: a finalizer that runs in the middle of an addition may end a span of the same run.
    lock: threading.RLock = field(default_factory=threading.RLock)

    def add(self, span: Finished) -> None:
        """Count a finished span of the run."""
        attributes = span.attributes or {}
        operation = operation_of(attributes)
        if operation not in CALLS and operation != TOOL:
            return
        # With a bound: a fork may have copied the lock while another thread held it.
        held = self.lock.acquire(timeout=_LOCK_SECONDS)
        try:
            if operation == TOOL:
                self._add_tool(name_of(attributes, "gen_ai.tool.name"), span.start_time or 0, span.end_time or 0)
            elif not self._told_twice(span, attributes):
                self._add_call(operation, attributes)
        finally:
            if held:
                self.lock.release()

    def _add_tool(self, name: str, start: int, end: int) -> None:
        self.tool_calls += 1
        if name != self.tool:
            self.tool, self.row, self.row_end = name, 1, end
        elif start >= self.row_end:
            self.row, self.row_end = self.row + 1, end
        else:
            # Asked for in one step and executed side by side: a fan-out, not a loop.
            self.row_end = max(self.row_end, end)
        if name and self.row > self.loop_count:
            self.loop_tool, self.loop_count = name, self.row

    def _told_twice(self, span: Finished, attributes: Attributes) -> bool:
        """Whether the client's library told of the call before; what it tells ends first."""
        call = (_first(attributes, _MODELS), *(_count(attributes, TOKENS[f"llmobs.run.{kind}_tokens"]) for kind in ("input", "output")))
        scope = span.instrumentation_scope
        if scope is None or scope.name not in _BESIDE:
            self.told.append(call)
            return False
        if call not in self.told:
            return False
        self.told.remove(call)
        return True

    def _add_call(self, operation: str, attributes: Attributes) -> None:
        self.steps += CALLS[operation] == _STEP
        name = f"{_first(attributes, _PROVIDERS)}/{_first(attributes, _MODELS)}"
        totals = self.models.setdefault(name, dict.fromkeys(TOKENS, 0))
        for total, sources in TOKENS.items():
            totals[total] += _count(attributes, sources)
        if operation == INTERACTION:
            totals["llmobs.run.output_tokens"] += _count(attributes, TOKENS["llmobs.run.reasoning_tokens"])

    def summary(self) -> dict[str, Any]:
        """The attributes for the run's span."""
        totals = list(self.models.values())
        counted = {
            "llmobs.run.steps": self.steps,
            "llmobs.run.tool_calls": self.tool_calls,
            "llmobs.run.loop.count": self.loop_count,
            "llmobs.run.models": list(self.models),
            **{name: [each[name] for each in totals] for name in TOKENS},
        }
        return counted | ({"llmobs.run.loop.tool": self.loop_tool} if self.loop_tool else {})


def operation_of(attributes: Attributes) -> str:
    """Return what a span does, as gen_ai.operation.name calls it; empty where it does not say."""
    stated = attributes.get("gen_ai.operation.name")
    if stated:
        return str(stated)
    for name, words in _OPERATIONS.items():
        if name in attributes:
            return words.get(str(attributes[name]), "")
    return ""


def name_of(attributes: Attributes, current: str) -> str:
    """Return the name of an agent, a workflow or a tool, by its current attribute or by another convention's."""
    return _first(attributes, (current, "traceloop.entity.name", current.removeprefix("gen_ai.")))


def _first(attributes: Attributes, names: tuple[str, ...]) -> str:
    return next((str(attributes[name]) for name in names if attributes.get(name)), "")


def _count(attributes: Attributes, names: tuple[str, ...]) -> int:
    found = next((attributes[name] for name in names if name in attributes), 0)
    return int(found) if isinstance(found, (int, float)) and found > 0 else 0
