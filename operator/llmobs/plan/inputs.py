"""What plans are made from, and what they are: policies, prices and facts in; parts with manifests out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmobs.api.conditions import ConditionType, Finding
from llmobs.api.effective import Fleet, Policy
from llmobs.api.settings import Settings
from llmobs.plan.measures import Bounds, bounds
from llmobs.prices.table import PriceTable

Manifest = dict[str, Any]
"""One Kubernetes object as plain data."""


@dataclass(frozen=True)
class Facts:
    """What is true of the cluster, found out by somebody else."""

    namespace: str = "llmobs-system"
    """The operator's own namespace; the gateway lives there."""
    prometheus_operator: bool | None = True
    """Whether PrometheusRule and PodMonitor are known to the API server; None: not found out."""
    admission_policies: bool | None = None
    """Whether the API server serves MutatingAdmissionPolicy; None: not found out."""
    version: tuple[int, int] | None = None
    """Major and minor version of the API server; None: not found out."""
    absent: tuple[str, ...] = ()
    """Namespaces that are to be watched and do not exist, or may not be looked at."""


@dataclass(frozen=True)
class Inputs:
    """Everything a plan depends on. Equal inputs make equal plans, byte for byte."""

    settings: Settings
    facts: Facts
    prices: PriceTable
    policies: tuple[Policy, ...] = ()
    """Every accepted policy, sorted by namespace and name."""
    fleets: tuple[Fleet, ...] = ()
    """Every accepted ClusterLLMObservability, sorted by name."""
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of every namespace that a policy lives in."""
    stand_ins: tuple[Policy, ...] = ()
    """The fleets' defaults where they apply without a policy, sorted by namespace."""
    others: tuple[Policy, ...] = ()
    """Policies that nothing is planned for here, whose thresholds were given bounds like those of ``policies``."""
    bounds: Bounds = field(init=False, compare=False, repr=False)
    """The bucket bounds that thresholds are judged by; the same in every gateway, or rules would look for one that is not there."""

    def __post_init__(self) -> None:
        """Chosen once: a plan for each of a thousand policies asks for them."""
        object.__setattr__(self, "bounds", bounds((*self.policies, *self.others)))

    @property
    def governing(self) -> tuple[Policy, ...]:
        """All that grants something to the telemetry of pods."""
        return (*self.policies, *self.stand_ins)


@dataclass(frozen=True)
class Part:
    """One piece of a plan, which owns one condition."""

    condition: ConditionType
    manifests: tuple[Manifest, ...] = ()
    finding: Finding | None = None
    """Set when the part is skipped on purpose or can't be made: its condition, already decided."""
