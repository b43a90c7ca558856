"""Amounts of money per calendar period."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.api.v1alpha1.naming import NAME
from llmobs.kit.schema import prop


class Period(enum.Enum):
    """The calendar span of a budget, in UTC; weeks start on Monday."""

    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


@dataclass(frozen=True, kw_only=True)
class Match:
    """The part of the namespace's calls that a budget counts; every given value must match."""

    team: str | None = prop(None, max_length=128)
    """The resource attribute team."""
    feature: str | None = prop(None, max_length=128)
    """The resource attribute feature."""
    model: str | None = prop(None, max_length=256)
    """A model; resolved to its canonical name as the calls are."""
    agent: str | None = prop(None, min_length=1, max_length=128)
    """The agent's name (gen_ai.agent.name)."""
    workload: str | None = prop(None, max_length=253)
    """Name of the Deployment, StatefulSet, DaemonSet, CronJob or Job."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """An amount of money for a calendar period; alerts when it is nearly and when it is spent. It never blocks a call."""

    name: str = prop(pattern=NAME)
    """Name of the budget inside this resource."""
    period: Period = prop(Period.MONTH, default_in_crd=True)
    """Day, Week (from Monday) or Month, in UTC."""
    limit_usd: float = prop(minimum=0, exclusive_minimum=True, maximum=1e12)
    """The limit for one period, in US dollars."""
    warn_at: tuple[float, ...] = prop((0.8,), minimum=0, maximum=1, exclusive_minimum=True, max_items=5, default_in_crd=True)
    """Shares of the limit, 0 to 1, at which a warning is raised."""
    match: Match = prop(factory=Match)
    """Count only these calls; empty counts every call of the namespace."""
