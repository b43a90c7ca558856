"""The generations of conventions that applications emit, one module each: how each is brought to the current names.

A module offers ``GENERATION``. Everything in the namespaces it names counts as prompts and answers, except what it lists as
metadata: an attribute nobody has heard of is not let out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from llmobs.kit.discovery import modules

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
INPUT = "gen_ai.usage.input_tokens"
OUTPUT = "gen_ai.usage.output_tokens"
CACHE_READ = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE = "gen_ai.usage.cache_write.input_tokens"
REASONING = "gen_ai.usage.reasoning.output_tokens"
TOTAL = "gen_ai.usage.total_tokens"
CACHE_WRITE_1H = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
AUDIO_INPUT = "gen_ai.usage.audio.input_tokens"
AUDIO_CACHED = "gen_ai.usage.audio.cache_read.input_tokens"
AUDIO_OUTPUT = "gen_ai.usage.audio.output_tokens"
IMAGE_INPUT = "gen_ai.usage.image.input_tokens"
IMAGE_CACHED = "gen_ai.usage.image.cache_read.input_tokens"
IMAGE_OUTPUT = "gen_ai.usage.image.output_tokens"
SERVICE_TIERS = (
    "openai.response.service_tier",
    "gen_ai.openai.response.service_tier",
    "gen_ai.response.service_tier",
    "anthropic.response.service_tier",
    "openai.request.service_tier",
    "gen_ai.openai.request.service_tier",
    "gen_ai.request.service_tier",
)
"""Where a call's service tier stands, the first that is there: what was used before what was asked for."""
AGENT = "gen_ai.agent.name"
WORKFLOW = "gen_ai.workflow.name"
TOOL = "gen_ai.tool.name"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
DOCUMENTS = "gen_ai.retrieval.documents"
EVALUATION = "gen_ai.evaluation.name"
SCORE = "gen_ai.evaluation.score.value"
EVALUATED = "gen_ai.evaluation.result"
"""The event of an evaluation; also the name of a span that stands for one."""


@dataclass(frozen=True)
class Rename:
    """An attribute that takes the value of an older one when it is absent itself."""

    new: str
    old: str
    when: tuple[str, str] | None = None
    """Only on spans whose attribute (first) has this value (second)."""
    scale: float = 1.0
    """What the older one's number is multiplied by."""


@dataclass(frozen=True)
class Generation:
    """How spans of one generation of conventions are read."""

    marks: tuple[str, ...]
    """Attributes of spans; one that carries any of them is of this generation."""
    renames: tuple[Rename, ...] = ()
    """In order: the first that applies wins."""
    operations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Attribute -> its values -> the operation's current name."""
    namespaces: tuple[str, ...] = ()
    """Prefixes of attribute names, up to a dot, that belong to this generation."""
    metadata: tuple[str, ...] = ()
    """Attributes that never hold prompts or answers, by their whole names: the collector looks names up, it does not match them."""
    cached_apart: tuple[str, ...] = ()
    """Instrumentation scopes whose input tokens leave out the cached ones: they pass on the provider's own count."""
    reasoning_apart: tuple[str, ...] = ()
    """Instrumentation scopes whose output tokens leave out the reasoning ones, which only the total includes."""
    thoughts_apart: Mapping[str, str] = field(default_factory=dict)
    """Operations of one instrumentation's own, whose output tokens leave out the reasoning ones -> the current name."""
    beside: tuple[str, ...] = ()
    """Instrumentation scopes of frameworks whose span of a call does not stand around the client library's span of the same call."""

    @property
    def known(self) -> frozenset[str]:
        """The metadata, and everything that is read to understand a span."""
        read = {rename.old for rename in self.renames} | {rename.new for rename in self.renames}
        return frozenset({*self.metadata, *self.marks, *read, *self.operations})


def under(prefix: str, words: str) -> tuple[str, ...]:
    """The names ``prefix.word`` of several words."""
    return tuple(f"{prefix}.{word}" for word in words.split())


@cache
def generations() -> tuple[Generation, ...]:
    """Every generation, in the order of the modules' names."""
    return tuple(module.GENERATION for module in modules(__name__))
