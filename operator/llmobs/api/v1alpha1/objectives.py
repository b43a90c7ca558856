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


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The share of successful calls that must be fast."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful calls that take at most the threshold, 0.5 to 0.99999."""
    threshold: str = prop(
        pattern=SHORT,
        rules=(
            Rule(
                cel="duration(self) >= duration('10ms') && duration(self) <= duration('1h')",
                message="must lie between 10ms and 1h",
                holds=lambda value: 0.01 <= seconds(value) <= 3600,
            ),
        ),
    )
    """How long a call may take, as a duration such as 500ms or 5s."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A service level objective on the namespace's calls."""

    name: str = prop(pattern=NAME)
    """Name of the objective inside this resource."""
    indicator: Availability | Latency = prop(one_of={"availability": Availability, "latency": Latency})
