"""What a policy is told whose calls are counted from metrics, and that asks for what only spans tell."""

from __future__ import annotations

from collections.abc import Iterator

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.objectives import Latency, RetrievalLatency, TimeToFirstToken, TokensPerSecond
from llmobs.catalogue.metrics import DURATION_BOUNDS
from llmobs.kit.decode import camel
from llmobs.plan.measures import LIMITS, threshold
from llmobs.plan.rules.promql import plain

OPEN = 120.0
"""Seconds from which our bounds lie beyond those of the conventions, whose last bucket has no end."""

_EXACT = frozenset(bound for bound in DURATION_BOUNDS if bound < OPEN)


def unmeasured(policy: Policy) -> Finding | None:
    """RulesReady, with what can't be measured from metrics, and what only by an estimate; None where there is nothing to tell."""
    if not policy.spec.collector.metered:
        return None
    never, roughly = list(_never(policy)), list(_roughly(policy))
    said = ["with collector.source Metrics nothing is measured for " + ", ".join(never)] if never else []
    if roughly:
        said.append(f"between two buckets of applications' histograms an estimate judges {', '.join(roughly)}")
    if not said:
        return None
    return Finding(ConditionType.RULES_READY, Status.TRUE, Reason.NOT_MEASURED, f"the rules are in place; {'; '.join(said)}")


def _never(policy: Policy) -> Iterator[str]:
    for objective in policy.spec.objectives:
        if isinstance(objective.indicator, TokensPerSecond | RetrievalLatency):
            yield f"objective {objective.name}"
    for limit in LIMITS:
        if limit.of(policy.spec.agents) is not None:
            yield f"agents.{camel(limit.field)}"
    if policy.spec.agents.max_tool_repeats is not None:
        yield "agents.maxToolRepeats"
    yield from (f"budget {budget.name} (match.agent)" for budget in policy.spec.budgets if budget.match.agent is not None)


def _roughly(policy: Policy) -> Iterator[str]:
    for objective in policy.spec.objectives:
        asked = objective.indicator
        if isinstance(asked, Latency | TimeToFirstToken) and (seconds := threshold(asked)) not in _EXACT:
            near = " or ".join(plain(bound) for bound in _beside(seconds))
            yield f"objective {objective.name} ({plain(seconds)} s; ask for {near} s)"


def _beside(seconds: float) -> list[float]:
    """The exact bounds below and above."""
    below, above = [item for item in _EXACT if item < seconds], [item for item in _EXACT if item > seconds]
    return [*([max(below)] if below else []), *([min(above)] if above else [])]
