"""Service level objectives on calls."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.api.v1alpha1.naming import NAME
from llmobs.kit.durations import SHORT, seconds
from llmobs.kit.schema import Rule, prop


@dataclass(frozen=True, kw_only=True)
class Availability:
    """The share of calls that must succeed."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful calls, 0.5 to 0.99999."""


_PLAUSIBLE = Rule(
    cel="duration(self) >= duration('10ms') && duration(self) <= duration('1h')",
    message="must lie between 10ms and 1h",
    holds=lambda value: 0.01 <= seconds(value) <= 3600,
)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The share of successful calls that must be fast."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful calls that take at most the threshold, 0.5 to 0.99999."""
    threshold: str = prop(pattern=SHORT, rules=(_PLAUSIBLE,))
    """How long a call may take, as a duration such as 500ms or 5s."""


@dataclass(frozen=True, kw_only=True)
class TimeToFirstToken:
    """The share of streamed answers that must begin soon. Calls that are not streamed have no first token and do not count."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful streamed calls whose first chunk comes within the threshold, 0.5 to 0.99999."""
    threshold: str = prop(pattern=SHORT, rules=(_PLAUSIBLE,))
    """How long the first chunk may take, as a duration such as 500ms."""


@dataclass(frozen=True, kw_only=True)
class TokensPerSecond:
    """The share of successful calls that must be answered at some speed."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful calls that are faster than atLeast, 0.5 to 0.99999."""
    at_least: float = prop(minimum=0.1, maximum=100000)
    """Output tokens per second of the whole call, with the wait for its first token; 0.1 to 100000."""


@dataclass(frozen=True, kw_only=True)
class RetrievalLatency:
    """The share of successful retrievals (searches of documents) that must be fast."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful retrievals that take at most the threshold, 0.5 to 0.99999."""
    threshold: str = prop(pattern=SHORT, rules=(_PLAUSIBLE,))
    """How long a retrieval may take, as a duration such as 500ms."""


Indicator = Availability | Latency | TimeToFirstToken | TokensPerSecond | RetrievalLatency


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A service level objective on the namespace's calls."""

    name: str = prop(pattern=NAME)
    """Name of the objective inside this resource."""
    indicator: Indicator = prop(
        one_of={
            "availability": Availability,
            "latency": Latency,
            "timeToFirstToken": TimeToFirstToken,
            "tokensPerSecond": TokensPerSecond,
            "retrievalLatency": RetrievalLatency,
        }
    )
