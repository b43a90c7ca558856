"""Runs of agents: how many went beyond what a policy allows, tile by tile and over the last hour."""

from __future__ import annotations

from collections.abc import Iterator

from llmobs.api.effective import Policy
from llmobs.catalogue import metrics
from llmobs.plan.inputs import Inputs
from llmobs.plan.measures import LIMITS, Bounds, Limit
from llmobs.plan.rules import series
from llmobs.plan.rules.buckets import above, bucket_rules
from llmobs.plan.rules.promql import Group, Rule, constant, group, plain, record, summed
from llmobs.plan.rules.series import Timing, within

REPEATS = "repeats"


def agents_group(timing: Timing, inputs: Inputs) -> tuple[Group, ...]:
    """One group, or none while no policy bounds its agents."""
    used = {item: tuple(map(plain, inputs.bounds.used(item, inputs.policies))) for item in LIMITS}
    used = {item: bounds for item, bounds in used.items() if bounds}
    repeats = any(policy.spec.agents.max_tool_repeats is not None for policy in inputs.policies)
    rules = [
        *bucket_rules(used.items(), timing),
        *([record(f"{series.RUNS_OVER}:tile", "\nor\n".join(_over(item) for item in used))] if used else []),
        *([_loops(timing)] if repeats else []),
        *_hour(timing, over=bool(used), loops=repeats),
    ]
    return (group("llmobs-agents", timing.interval, rules),) if rules else ()


def limit_rules(policy: Policy, bounds: Bounds, labels: dict[str, str]) -> Iterator[Rule]:
    """What a policy allows, with the bound that it is judged by as the label ``le`` of the recorded buckets."""
    agents = policy.spec.agents
    for item in LIMITS:
        value = item.of(agents)
        if value is not None:
            yield constant(series.AGENT_LIMIT, value, {**labels, "limit": item.name, "le": plain(bounds.bound(item, value))})
    if agents.max_tool_repeats is not None:
        yield constant(series.AGENT_LIMIT, agents.max_tool_repeats, {**labels, "limit": REPEATS})


def _over(item: Limit) -> str:
    return above(item, _zero(item.name))


def _zero(limit: str) -> str:
    return f'{series.AGENT_LIMIT}{{limit="{limit}"}} * 0'


def _loops(timing: Timing) -> Rule:
    return record(f"{series.LOOPS}:tile", summed(metrics.LOOPS, labels=("namespace", "agent", "tool"), timing=timing))


def _hour(timing: Timing, *, over: bool, loops: bool) -> Iterator[Rule]:
    window = f"[{within('1h')}:{timing.tile}]"
    parts = [f"sum_over_time({series.RUNS_OVER}:tile{window})"] if over else []
    if loops:
        parts.append(f"{_zero(REPEATS)} + on (namespace) group_left () sum by (namespace) (sum_over_time({series.LOOPS}:tile{window}))")
    if parts:
        yield record(f"{series.RUNS_OVER}:sum1h", "\nor\n".join(parts))
