"""The groups that turn raw counters into exact tiles: money, calls, tokens, durations."""

from __future__ import annotations

from llmobs.catalogue import metrics
from llmobs.plan.inputs import Inputs
from llmobs.plan.rules import series
from llmobs.plan.rules.buckets import bucket_rules
from llmobs.plan.rules.objectives import measured, objective_rules
from llmobs.plan.rules.promql import Group, Rule, group, record, summed, watched
from llmobs.plan.rules.series import Timing, within


def cost_group(timing: Timing) -> Group:
    """The heartbeat and money."""
    return group(
        "llmobs-cost",
        timing.interval,
        [
            record(series.HEARTBEAT, "vector(1)"),
            record(series.WATCHED, watched(timing)),
            record(series.TILE_SECONDS, f"vector({timing.seconds})"),
            record(f"{series.COST}:tile", summed(metrics.COST, labels=series.COST_LABELS, timing=timing)),
            record(f"{series.NAMESPACE_COST}:tile", f"sum by (namespace) ({series.COST}:tile)"),
        ],
    )


def agent_cost_group(timing: Timing) -> Group:
    """Money by agent, in a group of its own: names of agents without end may fail this one, and no other."""
    tile = summed(metrics.AGENT_COST, labels=series.AGENT_COST_LABELS, timing=timing)
    return group("llmobs-agent-cost", timing.interval, [record(f"{series.AGENT_COST}:tile", tile)])


def calls_group(timing: Timing, inputs: Inputs) -> Group:
    """Calls, the buckets that objectives ask for, and the objectives themselves: each reads the one before it."""
    used = measured(inputs)
    return group(
        "llmobs-calls",
        timing.interval,
        [
            *_calls(timing),
            *bucket_rules(used.items(), timing),
            *objective_rules(timing, used),
        ],
    )


def tokens_group(timing: Timing) -> Group:
    """Tokens by type."""
    labels = ("namespace", "provider", "model", "token_type")
    return group("llmobs-tokens", timing.interval, [record(series.TOKENS, summed(metrics.TOKENS, labels=labels, timing=timing))])


def _calls(timing: Timing) -> list[Rule]:
    labels = ("namespace", "provider", "model", "outcome", "priced")
    unpriced = f'sum_over_time({series.CALLS}{{priced=~"unpriced|bad_usage"}}[{within("1h")}:{timing.tile}])'
    remembered = f"last_over_time({series.LAST_CALL}[6h]) > time() - 7 * 86400"
    return [
        record(series.CALLS, summed(metrics.CALLS, labels=labels, timing=timing)),
        record(series.NAMESPACE_CALLS, f"sum by (namespace) ({series.CALLS})"),
        record(series.UNPRICED, f"sum by (namespace, provider, model, priced) (\n  {unpriced}\n) > 0"),
        record(series.LAST_CALL, f"timestamp({series.NAMESPACE_CALLS} > 0)\nor ({remembered})"),
    ]
