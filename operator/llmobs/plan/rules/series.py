"""Names of the recorded series that rules read from one another, and the lengths of time that the tile decides."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.api.settings import Settings
from llmobs.kit.durations import seconds

HEARTBEAT = "llm:heartbeat"
"""1 whenever the cost group was evaluated: tells a new counter from a Prometheus that was not looking."""
WATCHED = "llm:watched"
"""Present once a counter that is new is counted in full: see :attr:`Timing.settled`."""
TILE_SECONDS = "llm:tile:seconds"
"""The length of a tile, so that a dashboard can show a tile as a rate."""
ALIVE = "llm:telemetry:alive"
"""Present while the gateway is being scraped: only then does silence mean zero."""

HISTORY = "llm:history:ratio"
"""Share of the running period that Prometheus has stored; label period."""

COST = "llm:cost_usd"
AGENT_COST = "llm:agent_cost_usd"
NAMESPACE_COST = "namespace:llm_cost_usd"
"""Each of the three as ``:tile`` (one tile), ``:hour`` and ``:day`` (the last *complete* UTC hour and day)."""
CALLS = "llm:calls:tile"
NAMESPACE_CALLS = "namespace:llm_calls:tile"
UNPRICED = "llm:calls_unpriced:sum1h"
"""Calls of the last hour that no budget and no cost holds, by model and reason."""
LAST_CALL = "namespace:llm_calls:last_seconds"
"""Unix time of the end of the newest tile that has a call of the namespace; forgotten after a week."""
TOKENS = "llm:tokens:tile"
OBJECTIVE_TARGET = "llm_objective_target"
OBJECTIVE_TOTAL = "llm:objective_total"
OBJECTIVE_BAD = "llm:objective_bad"
"""Calls that count, and those that missed, per objective: as ``:tile``, ``:sum<window>`` and ``:ratio<window>``."""

AGENT_LIMIT = "llm_agent_limit"
"""What a policy allows a run of an agent; labels namespace, policy, limit (cost, steps, repeats), le."""
RUNS_OVER = "llm:agent_runs_over"
"""Runs that went beyond it: as ``:tile`` and ``:sum1h``; labels as AGENT_LIMIT."""
LOOPS = "llm:agent_tool_loops"
"""Runs that executed a tool too often in a row, as ``:tile``; labels namespace, agent, tool."""

POLICY_INFO = "llm_policy_info"
"""1 per policy; carries the labels its alerts get and the uid of its dashboard."""
ALERT_DISABLED = "llm_alert_disabled"
BUDGET_WARN = "llm_budget_warn_ratio"
BUDGET_MATCHED = "llm:budget_matched_usd:to_date"
"""Spent in the running period by the calls that a budget's ``match`` selects."""

COST_LABELS = ("namespace", "workload", "team", "feature", "environment", "provider", "model")
"""Labels of ``llm:cost_usd:*``; a budget's ``match`` picks from them."""
AGENT_COST_LABELS = (*COST_LABELS, "agent")
"""Labels of ``llm:agent_cost_usd:*``, for a budget that names an agent."""
BUDGET_LABELS = ("namespace", "policy", "budget", "period")
AGENT_LABELS = ("namespace", "policy", "limit", "le")
OBJECTIVE_LABELS = ("namespace", "policy", "objective", "sli", "le")

PERIOD_START = "llm:clock:{period}_start_seconds"
DAY_CLOCK = "llm:clock:day_seconds"
HOUR_CLOCK = "llm:clock:hour_seconds"


@dataclass(frozen=True)
class Timing:
    """What follows from the length of a tile."""

    tile: str
    """Window of one delta, step of every subquery over tiles, offset between neighbours."""
    scrape: str = "30s"
    """How often the gateway is scraped."""

    @property
    def seconds(self) -> int:
        """The tile in seconds."""
        return int(seconds(self.tile))

    @property
    def interval(self) -> str:
        """How often groups are evaluated: five times per tile, so that a missed evaluation shifts an edge by a fifth at most."""
        return f"{self.seconds // 5}s"

    @property
    def settled(self) -> str:
        """How long rules must have been evaluated before a series that is new counts in full.

        A tile, because its predecessor must have been looked for; then a scrape, and half a minute in which Prometheus finds its
        targets: it evaluates rules before that, so that after a start without its old data, the gateway's totals of months would
        pass for new counters.
        """
        return f"{self.seconds + int(seconds(self.scrape)) + 30}s"

    @property
    def slow(self) -> str:
        """Interval of the groups whose values change once an hour; not above 5m, where an instant query would see gaps."""
        return self.tile


def timing(settings: Settings) -> Timing:
    """The timing that the platform's settings ask for."""
    return Timing(tile=settings.rules.tile, scrape=settings.gateway.scrape_interval)


def within(window: str) -> str:
    """A subquery range that holds as many steps as fit into ``window``, whether ranges are closed (2.x) or left-open (3.x)."""
    whole = int(seconds(window))
    hours, rest = divmod(whole - 1, 3600)
    return f"{f'{hours}h' if hours else ''}{rest // 60}m59s"
