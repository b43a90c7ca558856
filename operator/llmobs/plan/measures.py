"""What objectives with a threshold are measured by: the gateway has a bucket that ends at every threshold, and rules read that bucket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.objectives import Availability, Indicator, Latency, RetrievalLatency, TimeToFirstToken, TokensPerSecond
from llmobs.catalogue import metrics
from llmobs.kit.durations import seconds


@dataclass(frozen=True)
class Measure:
    """A histogram that objectives are counted by."""

    sli: str
    """What the kind of objective is called on its series and alerts."""
    indicator: type[Indicator]
    histogram: str
    labels: str = ""
    """Matchers, without braces, of what counts."""
    more_is_better: bool = False
    """What lies above the threshold is good."""

    @property
    def tile(self) -> str:
        """The recorded series: its buckets in use, tile by tile; ``le`` is written as in the policy (``5``, never ``5.0``)."""
        return f"llm:{self.histogram.removeprefix('llm_')}_bucket:tile"


MEASURES = (
    Measure("latency", Latency, metrics.DURATION, 'outcome="ok"'),
    Measure("first_token", TimeToFirstToken, metrics.FIRST_CHUNK),
    Measure("throughput", TokensPerSecond, metrics.SPEED, more_is_better=True),
    Measure("retrieval", RetrievalLatency, metrics.RETRIEVAL_DURATION, 'outcome="ok"'),
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
