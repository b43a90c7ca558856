"""What objectives with a threshold are measured by: the gateway has a bucket that ends at every threshold, and rules read that bucket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.agents import Agents
from llmobs.api.v1alpha1.objectives import Availability, Indicator, Latency, RetrievalLatency, TimeToFirstToken, TokensPerSecond
from llmobs.catalogue import metrics
from llmobs.kit.durations import seconds


@dataclass(frozen=True)
class Bucketed:
    """A histogram of which rules read the buckets in use."""

    histogram: str
    labels: str = ""
    """Matchers, without braces, of what counts."""

    @property
    def tile(self) -> str:
        """The recorded series: its buckets in use, tile by tile; ``le`` is written as in the policy (``5``, never ``5.0``)."""
        return f"llm:{self.histogram.removeprefix('llm_')}_bucket:tile"


@dataclass(frozen=True, kw_only=True)
class Measure(Bucketed):
    """What objectives of one kind are counted by."""

    sli: str
    """What the kind of objective is called on its series and alerts."""
    indicator: type[Indicator]
    more_is_better: bool = False
    """What lies above the threshold is good."""


@dataclass(frozen=True, kw_only=True)
class Limit(Bucketed):
    """What a bound of agents' runs is counted by."""

    name: str
    """What the bound is called on its series."""
    field: str
    """The attribute of :class:`Agents`."""

    def of(self, agents: Agents) -> float | None:
        """The bound that a policy sets."""
        value: float | None = getattr(agents, self.field)
        return value


MEASURES = (
    Measure(sli="latency", indicator=Latency, histogram=metrics.DURATION, labels='outcome="ok"'),
    Measure(sli="first_token", indicator=TimeToFirstToken, histogram=metrics.FIRST_CHUNK),
    Measure(sli="throughput", indicator=TokensPerSecond, histogram=metrics.SPEED, more_is_better=True),
    Measure(sli="retrieval", indicator=RetrievalLatency, histogram=metrics.RETRIEVAL_DURATION, labels='outcome="ok"'),
)


LIMITS = (
    Limit(name="cost", field="max_run_cost_usd", histogram=metrics.RUN_COST),
    Limit(name="steps", field="max_steps", histogram=metrics.RUN_STEPS),
)


def measure(indicator: Indicator) -> Measure | None:
    """What an objective is measured by; none for availability, which counts calls."""
    return next((item for item in MEASURES if isinstance(indicator, item.indicator)), None)


def threshold(indicator: Latency | TimeToFirstToken | TokensPerSecond | RetrievalLatency) -> float:
    """The threshold in the unit of the histogram: seconds, or tokens per second."""
    return indicator.at_least if isinstance(indicator, TokensPerSecond) else seconds(indicator.threshold)


def thresholds(item: Measure, policies: Iterable[Policy]) -> tuple[float, ...]:
    """Every threshold of one kind in use, lowest first."""
    asked = (objective.indicator for policy in policies for objective in policy.spec.objectives)
    found = {threshold(kind) for kind in asked if isinstance(kind, item.indicator) and not isinstance(kind, Availability)}
    return tuple(sorted(found))


def limits(item: Limit, policies: Iterable[Policy]) -> tuple[float, ...]:
    """Every bound of one kind in use, lowest first."""
    found = (item.of(policy.spec.agents) for policy in policies)
    return tuple(sorted({float(value) for value in found if value is not None}))
