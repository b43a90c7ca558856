"""From findings and figures to the status of a custom resource; pure, the time is given."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.status import (
    BudgetState,
    BudgetStatus,
    Condition,
    FleetStatus,
    Instrumentation,
    LastAccepted,
    LLMObservabilityStatus,
    PodsStatus,
    SpendStatus,
)
from llmobs.kit.decode import camel
from llmobs.plan.findings import SETUP, Pods, Spend, budgets, ready, worst

TOLERANCE = 0.01
"""Share by which an amount of money must differ to be worth a write."""

_STATES = (BudgetState.WITHIN, BudgetState.UNKNOWN, BudgetState.WARNING, BudgetState.EXCEEDED)


def conditions(previous: Mapping[str, Any], findings: Iterable[Finding], *, generation: int, now: str) -> tuple[Condition, ...]:
    """The conditions, each with the time at which its status last changed. Conditions that nobody judged stay as they are."""
    before = {item["type"]: item for item in previous.get("conditions") or []}
    judged = worst(findings)
    kept = [_kept(item) for kind, item in before.items() if kind not in {k.value for k in judged} | {"Ready"}]
    carried = [_finding(item) for item in kept if item.type in {kind.value for kind in SETUP}]
    judged[ConditionType.READY] = ready([*judged.values(), *carried])
    made = [_condition(item, before.get(item.type.value), generation, now) for item in judged.values()]
    order = {kind.value: rank for rank, kind in enumerate(ConditionType)}
    return tuple(sorted([*made, *kept], key=lambda item: order.get(item.type, len(order))))


def _condition(item: Finding, before: Mapping[str, Any] | None, generation: int, now: str) -> Condition:
    same = before is not None and before.get("status") == item.status.value
    return Condition(
        type=item.type.value,
        status=item.status.value,
        reason=item.reason.value,
        message=item.message[:4096],
        observed_generation=generation,
        last_transition_time=str(before["lastTransitionTime"]) if before is not None and same else now,
    )


def _kept(item: Mapping[str, Any]) -> Condition:
    return Condition(
        type=item["type"],
        status=item["status"],
        reason=item["reason"],
        message=item.get("message", ""),
        observed_generation=item.get("observedGeneration", 0),
        last_transition_time=item["lastTransitionTime"],
    )


def _finding(item: Condition) -> Finding:
    return Finding(ConditionType(item.type), Status(item.status), Reason.NOT_READY, item.message)


def policy_status(
    previous: Mapping[str, Any],
    findings: Iterable[Finding],
    *,
    generation: int,
    now: str,
    policy: Policy,
    pods: Pods,
    spend: Spend,
    last: LastAccepted | None = None,
    instrumentation: Instrumentation | None = None,
    looping: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The status of an LLMObservability. ``policy`` is the one that serves: for an invalid spec the ``last`` good one."""
    standing = budgets(policy, spend)
    month = spend.month_to_date.get(policy.identity.namespace)
    made = LLMObservabilityStatus(
        observed_generation=generation,
        conditions=conditions(previous, findings, generation=generation, now=now),
        injected=f"{pods.injected}/{pods.matched}",
        pods=total([pods]),
        skipped=pods.skipped,
        budgets=standing,
        budget=_tightest(standing),
        state=max((item.state for item in standing), key=_STATES.index, default=None),
        spend=None if month is None else SpendStatus(month_to_date_usd=round(month, 4), at=spend.at),
        last_accepted=last,
        instrumentation=instrumentation,
        crash_looping=looping,
    )
    return _settled(dict(previous), plain(made))


def refused_status(previous: Mapping[str, Any], finding: Finding, *, generation: int, now: str) -> dict[str, Any]:
    """The status of a resource whose spec is invalid and of which no good one is known: everything stays but the verdict."""
    made = plain(conditions(previous, [finding], generation=generation, now=now))
    return {**previous, "observedGeneration": generation, "conditions": made}


def fleet_status(
    previous: Mapping[str, Any],
    findings: Iterable[Finding],
    *,
    generation: int,
    now: str,
    last: LastAccepted | None = None,
    pods: Mapping[str, Pods] | None = None,
    looping: tuple[str, ...] = (),
    instrumentation: Instrumentation | None = None,
) -> dict[str, Any]:
    """The status of a ClusterLLMObservability or an LLMPriceList; ``pods`` by namespace where a fleet's defaults apply."""
    judged = conditions(previous, findings, generation=generation, now=now)
    if not pods:  # what was once said of pods is no longer anybody's
        judged = tuple(item for item in judged if item.type != ConditionType.INJECTION_READY.value)
    made = FleetStatus(
        observed_generation=generation,
        conditions=judged,
        pods=total(pods.values()) if pods else None,
        crash_looping=looping,
        instrumentation=instrumentation,
        last_accepted=last,
    )
    fresh: dict[str, Any] = plain(made)
    return fresh


def total(pods: Iterable[Pods]) -> PodsStatus:
    """The pods of several namespaces, counted."""
    found = tuple(pods)
    return PodsStatus(
        matched=sum(item.matched for item in found),
        injected=sum(item.injected for item in found),
        outdated=sum(item.outdated for item in found),
        skipped=sum(each.count for item in found for each in item.skipped),
    )


def _tightest(standing: Sequence[BudgetStatus]) -> str:
    known = [item for item in standing if item.used is not None and item.spent_usd is not None]
    if not known:
        return ""
    item = max(known, key=lambda b: b.used or 0.0)
    return f"{cents(item.spent_usd or 0.0)} of {cents(item.limit_usd)} USD ({item.period})"


def cents(dollars: float) -> str:
    """An amount with two places, half a cent rounded up as on a bill; the float's own last bits do not decide."""
    return str(Decimal(repr(round(dollars, 6))).quantize(Decimal("0.01"), ROUND_HALF_UP))


def _settled(previous: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """``previous`` when only money moved, and by less than the tolerance; ``fresh`` otherwise."""
    if _without_money(previous) != _without_money(fresh):
        return fresh
    before, now = _money(previous), _money(fresh)
    if before.keys() != now.keys():
        return fresh
    near = all(abs(now[key] - before[key]) <= TOLERANCE * abs(before[key]) for key in now)
    return previous if near else fresh


def _without_money(status: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in status.items() if key not in ("spend", "budget", "budgets")}
    rest["budgets"] = [
        {key: value for key, value in item.items() if key not in ("spentUSD", "used")} for item in status.get("budgets") or []
    ]
    return rest


def _money(status: Mapping[str, Any]) -> dict[str, float]:
    spent = {item["name"]: item["spentUSD"] for item in status.get("budgets") or [] if "spentUSD" in item}
    return {**spent, "": status["spend"]["monthToDateUSD"]} if status.get("spend") else spent


def plain(value: Any) -> Any:
    """A status dataclass as the API server stores it: wire names, words for enums, nothing for what is not known."""
    if is_dataclass(value):
        found = {camel(item.name): plain(getattr(value, item.name)) for item in fields(value)}
        return {key: item for key, item in found.items() if item is not None and item not in ("", [])}
    if isinstance(value, enum.Enum):
        return value.value
    return [plain(item) for item in value] if isinstance(value, tuple) else value
