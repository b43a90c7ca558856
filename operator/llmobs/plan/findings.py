"""What is observed of pods and money, and what it means for the conditions of a policy; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.budgets import Budget
from llmobs.api.v1alpha1.injection import IMAGE_VOLUMES, Delivery
from llmobs.api.v1alpha1.status import BudgetState, BudgetStatus, SkippedPods
from llmobs.catalogue.languages import languages

SETUP = (
    ConditionType.ACCEPTED,
    ConditionType.INJECTION_READY,
    ConditionType.COLLECTOR_READY,
    ConditionType.RULES_READY,
    ConditionType.DASHBOARDS_READY,
)
"""What Ready is computed from: whether everything asked for is in place. Whether calls arrive and money is left is judged apart."""

RECENT = 86400.0
"""Seconds within which a call must have arrived; a day, because some applications only work by night."""

_SEVERITY = {Status.TRUE: 0, Status.UNKNOWN: 1, Status.FALSE: 2}


@dataclass(frozen=True)
class Pods:
    """The pods that a policy's selector matches, counted."""

    matched: int = 0
    injected: int = 0
    outdated: int = 0
    skipped: tuple[SkippedPods, ...] = ()
    """Not instrumented, by reason."""
    missed: tuple[str, ...] = ()
    """Names of pods that should be instrumented and are not: created while the webhook was away, or the policy said otherwise."""
    before: tuple[str, ...] = ()
    """Names of pods that are older than the policy and were never due."""
    surprised: tuple[tuple[str, str], ...] = ()
    """One pod of each workload that is left alone for a reason that nobody chose, by name, and that reason."""
    stale: tuple[str, ...] = ()
    """Names of pods that a restart would bring to what the policy says: outdated, missed, or older than the policy."""
    rolled_back: tuple[str, ...] = ()
    """Workloads, such as ``Deployment/web``, that crash-looped when they were instrumented."""
    again: tuple[str, ...] = ()
    """Such workloads that waited for our image and are tried again by themselves, with when."""
    elsewhere: tuple[str, ...] = ()
    """Keys of policies that won pods this policy's selector matches as well."""


@dataclass(frozen=True)
class Spend:
    """What Prometheus tells about all namespaces; with a ``problem`` it told nothing."""

    month_to_date: Mapping[str, float] = field(default_factory=dict)
    """US dollars by namespace."""
    budgets: Mapping[tuple[str, str, str], float] = field(default_factory=dict)
    """US dollars spent in the running period by (namespace, policy, budget)."""
    ages: Mapping[str, float] = field(default_factory=dict)
    """Seconds since the last call by namespace."""
    alive: bool = True
    """Whether Prometheus reads the gateway; without it, what is absent is not known."""
    problem: Finding | None = None
    at: str = ""
    """When it was read, RFC 3339."""


def accepted(policy: Policy, pods: Pods) -> Finding:
    """Accepted for a policy that applies."""
    if policy.restrictions:
        return Finding(ConditionType.ACCEPTED, Status.TRUE, Reason.RESTRICTED, "; ".join(policy.restrictions))
    if pods.elsewhere:
        return Finding(ConditionType.ACCEPTED, Status.TRUE, Reason.SHADOWED, shadow(pods))
    return Finding(ConditionType.ACCEPTED, Status.TRUE, Reason.ACCEPTED, "the spec is valid and applies")


def shadow(pods: Pods) -> str:
    """What it means that other policies win pods of this one."""
    return f"some of the matching pods belong to {', '.join(pods.elsewhere)}, whose selector is more specific or older"


def _rolled_back(pods: Pods) -> Iterator[str]:
    if pods.rolled_back:
        yield (
            f"{', '.join(pods.rolled_back)}: crash-looped or did not start when instrumented, and left alone since; find out why, then"
            f" remove the annotation {names.ROLLED_BACK} from the pod template"
        )
    if pods.again:
        yield f"{', '.join(pods.again)}: our image could not be had; tried again by itself once another pod has it, or a Deployment then"


def injection(policy: Policy, pods: Pods, broken: str | None) -> Finding:
    """InjectionReady; ``broken`` says what keeps the webhook from working."""

    def said(status: Status, reason: Reason, message: str) -> Finding:
        return Finding(ConditionType.INJECTION_READY, status, reason, message)

    if policy.spec.injection.mode.value == "Disabled":
        return said(Status.TRUE, Reason.DISABLED, "injection.mode is Disabled")
    if broken:
        return said(Status.FALSE, Reason.NOT_AVAILABLE, broken)
    if pods.rolled_back or pods.again:
        return said(Status.FALSE, Reason.ROLLED_BACK, "; ".join(_rolled_back(pods)))
    if pods.missed:
        return said(
            Status.FALSE,
            Reason.PODS_NOT_INJECTED,
            f"{len(pods.missed)} of {pods.matched} matching pods, such as {pods.missed[0]}, were created while the webhook was away"
            " or before the policy was for them; restart their workloads",
        )
    if not pods.matched:
        return said(Status.TRUE, Reason.NO_PODS, "no running pod matches the selector; pods created from now on are instrumented")
    if pods.before:
        return said(
            Status.TRUE,
            Reason.PODS_BEFORE_POLICY,
            f"{len(pods.before)} of {pods.matched} matching pods, such as {pods.before[0]}, are older than this policy;"
            " they are instrumented once their workloads restart",
        )
    if pods.outdated:
        return said(
            Status.TRUE,
            Reason.PODS_OUTDATED,
            f"{pods.outdated} of {pods.injected} instrumented pods are as an earlier version of this policy said until they restart",
        )
    return said(Status.TRUE, Reason.INJECTED, f"{pods.injected} of {pods.matched} matching pods are instrumented")


ESTIMATED = "the money is an estimate, because metrics tell neither cached tokens nor tiers of service"
"""Said wherever money is judged that comes from metrics."""


def undeliverable(policy: Policy, version: tuple[int, int] | None) -> str | None:
    """Why the policy's delivery does not work with an API server of this version; None when it does, or the version is not known."""
    injection = policy.spec.injection
    files = any(languages()[name].files for name in injection.languages)
    if version is None or version >= IMAGE_VOLUMES or injection.delivery is not Delivery.IMAGE_VOLUME or not files:
        return None
    needed, found = (".".join(map(str, item)) for item in (IMAGE_VOLUMES, version))
    return f"injection.delivery ImageVolume needs Kubernetes {needed}, this API server is {found}: no pod is changed; choose InitContainer"


def elsewhere(policy: Policy) -> str | None:
    """What is not seen of telemetry that goes to a receiver of somebody else; None when it comes to us."""
    if not policy.spec.collector.external:
        return None
    return (
        f"pods send to {policy.spec.collector.endpoint} (collector.mode External); whether calls arrive there, what they cost and how they"
        " fare is not seen here"
    )


def gateway(policy: Policy, shared: Iterable[Finding], own: Finding | None = None) -> tuple[Finding, ...]:
    """What the fleet's objects mean for a policy: how the gateway does is of no concern to one that does not use it.

    ``own`` says how the gateway of its own does, for one that has it.
    """
    if policy.spec.collector.external:
        said = f"no collector of ours is asked for; pods send to {policy.spec.collector.endpoint}"
        own = Finding(ConditionType.COLLECTOR_READY, Status.TRUE, Reason.EXTERNAL_ENDPOINT, said)
    if own is None:
        return tuple(shared)
    return (own, *(item for item in shared if item.type is not ConditionType.COLLECTOR_READY))


def telemetry(policy: Policy, pods: Pods, spend: Spend) -> Finding:
    """TelemetryFlowing: whether calls of the namespace reached Prometheus."""
    if (said := elsewhere(policy)) is not None:
        return Finding(ConditionType.TELEMETRY_FLOWING, Status.UNKNOWN, Reason.EXTERNAL_ENDPOINT, said)
    if spend.problem is not None:
        return Finding(ConditionType.TELEMETRY_FLOWING, spend.problem.status, spend.problem.reason, spend.problem.message)
    if spend.ages.get(policy.identity.namespace, RECENT) < RECENT:
        said = "calls of this namespace are in Prometheus"
        if policy.spec.collector.metered:
            said += f"; with collector.source Metrics {ESTIMATED}"
        return Finding(ConditionType.TELEMETRY_FLOWING, Status.TRUE, Reason.SERIES_FOUND, said)
    if not spend.alive:
        said = "Prometheus does not read the gateway: see that it selects the PodMonitor (gateway.podMonitorLabels)"
        return Finding(ConditionType.TELEMETRY_FLOWING, Status.UNKNOWN, Reason.NO_SERIES, said)
    said = "no call of this namespace reached Prometheus within a day"
    if policy.spec.collector.metered:
        said += (
            "; with collector.source Metrics they are counted from gen_ai.client.* histograms with delta temporality, which applications "
            "send where OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is delta"
        )
    else:
        said += "" if pods.injected else "; no pod is instrumented"
    return Finding(ConditionType.TELEMETRY_FLOWING, Status.FALSE, Reason.NO_SERIES, said)


def budgets(policy: Policy, spend: Spend) -> tuple[BudgetStatus, ...]:
    """How each budget of a policy stands."""
    where = policy.identity.namespace, policy.identity.name
    return tuple(_budget(item, spend.budgets.get((*where, item.name))) for item in policy.spec.budgets)


def _budget(item: Budget, spent: float | None) -> BudgetStatus:
    used = None if spent is None else spent / item.limit_usd
    return BudgetStatus(
        name=item.name,
        period=item.period.value,
        limit_usd=item.limit_usd,
        spent_usd=None if spent is None else round(spent, 4),
        used=None if used is None else round(used, 4),
        state=_state(used, item.warn_at),
    )


def _state(used: float | None, warn_at: Sequence[float]) -> BudgetState:
    if used is None:
        return BudgetState.UNKNOWN
    if used >= 1:
        return BudgetState.EXCEEDED
    return BudgetState.WARNING if any(used >= share for share in warn_at) else BudgetState.WITHIN


def within(standing: Sequence[BudgetStatus], spend: Spend, *, unseen: str | None = None, estimated: bool = False) -> Finding:
    """WithinBudget; ``unseen`` says why no money is seen. Messages name no running amount, or each of them would be a write."""

    def said(status: Status, reason: Reason, message: str) -> Finding:
        return Finding(ConditionType.WITHIN_BUDGET, status, reason, f"{message}; {ESTIMATED}" if estimated and standing else message)

    if not standing:
        return said(Status.TRUE, Reason.NO_BUDGET, "there is no budget")
    over = [item for item in standing if item.state is BudgetState.EXCEEDED]
    if over:
        return said(Status.FALSE, Reason.BUDGET_EXCEEDED, f"{_called(over)}: exceeded. Calls are not blocked")
    near = [item for item in standing if item.state is BudgetState.WARNING]
    if near:
        return said(Status.TRUE, Reason.BUDGET_WARNING, f"{_called(near)}: a share named in warnAt is passed")
    unknown = [item for item in standing if item.state is BudgetState.UNKNOWN]
    if unknown and unseen is not None:
        return said(Status.UNKNOWN, Reason.EXTERNAL_ENDPOINT, unseen)
    if unknown and spend.problem is not None:
        return said(Status.UNKNOWN, spend.problem.reason, spend.problem.message)
    if unknown:
        return said(Status.UNKNOWN, Reason.NO_SERIES, f"Prometheus has no series yet for {_called(unknown)}")
    return said(Status.TRUE, Reason.WITHIN_BUDGET, f"{_called(standing)}: within the limit")


def _called(items: Sequence[BudgetStatus]) -> str:
    return ", ".join(f"{item.name} ({item.limit_usd:.2f} USD per {item.period})" for item in items)


def worst(findings: Iterable[Finding]) -> dict[ConditionType, Finding]:
    """One finding per condition: the most severe one."""
    chosen: dict[ConditionType, Finding] = {}
    for item in findings:
        known = chosen.get(item.type)
        if known is None or _SEVERITY[item.status] > _SEVERITY[known.status]:
            chosen[item.type] = item
    return chosen


def ready(findings: Iterable[Finding]) -> Finding:
    """Ready, from the conditions it depends on."""
    judged = [item for item in findings if item.type in SETUP]
    hardest = max((_SEVERITY[item.status] for item in judged), default=0)
    if hardest == 0:
        return Finding(ConditionType.READY, Status.TRUE, Reason.READY, "everything that was asked for is in place")
    causes = [item for item in judged if _SEVERITY[item.status] == hardest]
    message = "; ".join(f"{item.type.value}: {item.message}" for item in causes)
    return Finding(ConditionType.READY, causes[0].status, Reason.NOT_READY, message)
