"""What objectives with a threshold are measured by: the gateway has buckets that end at thresholds, and rules read those buckets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.agents import Agents
from llmobs.api.v1alpha1.objectives import Indicator, Latency, RetrievalLatency, TimeToFirstToken, TokensPerSecond
from llmobs.catalogue import metrics
from llmobs.kit.decode import camel
from llmobs.kit.durations import seconds

MOST = 32
"""The most bounds of one histogram that policies add to its own: each multiplies the series of every namespace."""


@dataclass(frozen=True, kw_only=True)
class Bucketed:
    """A histogram of which rules read the buckets in use."""

    histogram: str
    unit: str
    """As a person writes it after a figure."""
    end: float
    """A bound that is at least as strict as whatever a policy can ask for."""
    labels: str = ""
    """Matchers, without braces, of what counts."""
    more_is_better: bool = False
    """What lies above the threshold is good, so that the stricter bound is the higher one."""

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
    Measure(sli="latency", indicator=Latency, histogram=metrics.DURATION, unit="s", end=0.01, labels='outcome="ok"'),
    Measure(sli="first_token", indicator=TimeToFirstToken, histogram=metrics.FIRST_CHUNK, unit="s", end=0.01),
    Measure(sli="throughput", indicator=TokensPerSecond, histogram=metrics.SPEED, unit="tokens/s", end=100000.0, more_is_better=True),
    Measure(sli="retrieval", indicator=RetrievalLatency, histogram=metrics.RETRIEVAL_DURATION, unit="s", end=0.01, labels='outcome="ok"'),
)


LIMITS = (
    Limit(name="cost", field="max_run_cost_usd", histogram=metrics.RUN_COST, unit="USD", end=0.0),
    Limit(name="steps", field="max_steps", histogram=metrics.RUN_STEPS, unit="steps", end=1.0),
)


def measure(indicator: Indicator) -> Measure | None:
    """What an objective is measured by; none for availability, which counts calls."""
    return next((item for item in MEASURES if isinstance(indicator, item.indicator)), None)


def threshold(indicator: Latency | TimeToFirstToken | TokensPerSecond | RetrievalLatency) -> float:
    """The threshold in the unit of the histogram: seconds, or tokens per second."""
    return indicator.at_least if isinstance(indicator, TokensPerSecond) else seconds(indicator.threshold)


@dataclass(frozen=True)
class Asked:
    """One threshold of a policy."""

    item: Bucketed
    value: float
    by: str
    """What asks for it, as a person finds it in the resource."""


def asked(policy: Policy) -> Iterator[Asked]:
    """Every threshold of a policy, in the order of the resource."""
    for objective in policy.spec.objectives:
        found, kind = measure(objective.indicator), objective.indicator
        if found is not None and isinstance(kind, Latency | TimeToFirstToken | TokensPerSecond | RetrievalLatency):
            yield Asked(found, threshold(kind), f"objective {objective.name}")
    for item in LIMITS:
        value = item.of(policy.spec.agents)
        if value is not None:
            yield Asked(item, float(value), f"agents.{camel(item.field)}")


@dataclass(frozen=True)
class Bounds:
    """Which thresholds have a bucket bound of their own. Beyond :data:`MOST` for a histogram, the next stricter bound judges."""

    own: Mapping[str, frozenset[float]]
    """Histogram -> the bounds that were added to its standard ones."""

    def bound(self, item: Bucketed, value: float) -> float:
        """The bound that judges a threshold: itself, or the nearest that counts as a miss whatever the threshold would."""
        known = {*metrics.BOUNDS[item.histogram], *self.own.get(item.histogram, ())}
        if item.more_is_better:
            return min((bound for bound in known if bound >= value), default=item.end)
        return max((bound for bound in known if bound <= value), default=item.end)

    def used(self, item: Bucketed, policies: Iterable[Policy]) -> tuple[float, ...]:
        """The bounds that judge the thresholds of these policies, lowest first."""
        found = {self.bound(item, one.value) for policy in policies for one in asked(policy) if one.item == item}
        return tuple(sorted(found))


def bounds(policies: Iterable[Policy]) -> Bounds:
    """The oldest policies first, then by name: a policy that is added takes no bound from those that were there."""
    own: dict[str, set[float]] = {item.histogram: set() for item in (*MEASURES, *LIMITS)}
    for policy in sorted(policies, key=_age):
        for one in asked(policy):
            taken, name = own[one.item.histogram], one.item.histogram
            if one.value not in metrics.BOUNDS[name] and len(taken) < MOST:
                taken.add(one.value)
    return Bounds({name: frozenset(found) for name, found in own.items()})


def _age(policy: Policy) -> tuple[str, str, str]:
    return policy.identity.created, policy.identity.namespace, policy.identity.name
