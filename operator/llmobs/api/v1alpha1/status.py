"""What the operator reports back on each kind."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.kit.schema import prop


class BudgetState(enum.Enum):
    """How a budget stands."""

    WITHIN = "Within"
    WARNING = "Warning"
    EXCEEDED = "Exceeded"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Kubernetes' standard condition."""

    type: str = prop()
    """What is judged, such as CollectorReady."""
    status: str = prop(pattern="^(True|False|Unknown)$")
    """True, False or Unknown."""
    reason: str = prop(pattern="^[A-Za-z]([A-Za-z0-9]*)$", max_length=1024)
    """One CamelCase word that a program can act on."""
    message: str = prop("", max_length=32768)
    """What happened and what to do, for a person."""
    observed_generation: int = prop(0, minimum=0)
    """The generation of the spec that was judged."""
    last_transition_time: str = prop()
    """When the status last changed, RFC 3339."""


@dataclass(frozen=True, kw_only=True)
class Instrumentation:
    """What the policy does to pods."""

    digest: str = prop("")
    """Changes when that changes; a new budget, for one, changes nothing."""
    generation: int = prop(0, minimum=0)
    """The generation of the spec since which it is so. Pods that an earlier one instrumented are outdated."""


@dataclass(frozen=True, kw_only=True)
class LastAccepted:
    """The spec that was accepted last."""

    generation: int = prop(0, minimum=0)
    """Its generation."""
    spec: str = prop()
    """The spec, as JSON. It serves while a newer one is refused, also after a restart of the operator."""


@dataclass(frozen=True, kw_only=True)
class BudgetStatus:
    """How one budget stands in its running period."""

    name: str = prop()
    """The budget's name."""
    period: str = prop()
    """Day, Week or Month."""
    limit_usd: float = prop()
    """Its limit in US dollars."""
    spent_usd: float | None = prop(None)
    """Spent in the running period, in US dollars; absent when Prometheus does not tell."""
    used: float | None = prop(None)
    """Spent divided by the limit."""
    state: BudgetState = prop()
    """Within, Warning (a warnAt share is passed), Exceeded, or Unknown."""


@dataclass(frozen=True, kw_only=True)
class SpendStatus:
    """The namespace's spend."""

    month_to_date_usd: float = prop()
    """Since the first of the month, UTC, in US dollars."""
    at: str = prop()
    """When it was read, RFC 3339."""


@dataclass(frozen=True, kw_only=True)
class SkippedPods:
    """Pods that match and are not instrumented, by reason."""

    reason: str = prop()
    """Why, such as HostNetwork."""
    count: int = prop(minimum=0)
    """How many pods."""
    example: str = prop("")
    """Name of one of them."""


@dataclass(frozen=True, kw_only=True)
class PodsStatus:
    """The pods that the selector matches."""

    matched: int = prop(0, minimum=0)
    """Running or pending pods that the selector matches."""
    injected: int = prop(0, minimum=0)
    """Of these, instrumented."""
    outdated: int = prop(0, minimum=0)
    """Of the instrumented ones, otherwise than the policy says now: restart them to bring them up to date."""
    skipped: int = prop(0, minimum=0)
    """Matched and not instrumented."""


@dataclass(frozen=True, kw_only=True)
class LLMObservabilityStatus:
    """What the operator found and did for a namespace."""

    observed_generation: int = prop(0, minimum=0)
    """The generation of the spec that this status is about."""
    conditions: tuple[Condition, ...] = prop((), keys=("type",))
    """Ready and what it is computed from."""
    injected: str = prop("")
    """Instrumented of matching pods, such as 12/14."""
    pods: PodsStatus = prop(factory=PodsStatus)
    """The pods that the selector matches."""
    skipped: tuple[SkippedPods, ...] = prop((), keys=("reason",))
    """Matching pods that are not instrumented, by reason."""
    budgets: tuple[BudgetStatus, ...] = prop((), keys=("name",))
    """How each budget stands."""
    budget: str = prop("")
    """The budget that is used most, such as 0.83 of 5.00 USD (Day)."""
    state: BudgetState | None = prop(None)
    """The worst state of all budgets."""
    spend: SpendStatus | None = prop(None)
    """The namespace's spend."""
    instrumentation: Instrumentation | None = prop(None)
    """What the policy does to pods."""
    crash_looping: tuple[str, ...] = prop(())
    """Workloads, such as Deployment/web, that were seen to crash-loop without instrumentation, so that it is not blamed."""
    last_accepted: LastAccepted | None = prop(None)
    """The spec that was accepted last; absent when none was, or when it is larger than 256 KiB."""


@dataclass(frozen=True, kw_only=True)
class PriceListStatus:
    """What the operator found for an LLMPriceList."""

    observed_generation: int = prop(0, minimum=0)
    """The generation of the spec that this status is about."""
    conditions: tuple[Condition, ...] = prop((), keys=("type",))
    """Ready and what it is computed from."""


@dataclass(frozen=True, kw_only=True)
class FleetStatus(PriceListStatus):
    """What the operator found for a ClusterLLMObservability."""

    pods: PodsStatus | None = prop(None)
    """The pods of namespaces in which the defaults apply without an LLMObservability."""
    instrumentation: Instrumentation | None = prop(None)
    """What the defaults do to those pods."""
    crash_looping: tuple[str, ...] = prop(())
    """Workloads of those namespaces, such as team-a/Deployment/web, that were seen to crash-loop without instrumentation."""
    last_accepted: LastAccepted | None = prop(None)
    """The spec that was accepted last; absent when none was, or when it is larger than 256 KiB."""
