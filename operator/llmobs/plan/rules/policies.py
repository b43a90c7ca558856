"""The rules of one policy: its budgets, objectives and labels as series that the fleet's rules join."""

from __future__ import annotations

from collections.abc import Iterator

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.alerting import Delivery
from llmobs.api.v1alpha1.budgets import Budget, Match
from llmobs.api.v1alpha1.objectives import Objective
from llmobs.catalogue import metrics
from llmobs.plan.dashboards.names import dashboard_uid
from llmobs.plan.inputs import Inputs
from llmobs.plan.measures import Bounds
from llmobs.plan.rules import series
from llmobs.plan.rules.agents import limit_rules
from llmobs.plan.rules.money import to_date
from llmobs.plan.rules.objectives import labels, objectives
from llmobs.plan.rules.promql import Group, Rule, constant, group, plain, record, selector
from llmobs.plan.rules.series import Timing, timing
from llmobs.prices.table import PriceTable


def policy_group(inputs: Inputs, policy: Policy) -> Group:
    """Everything the fleet's rules need to know of a policy."""
    prices, times = inputs.prices, timing(inputs.settings)
    return group(
        f"llmobs/{policy.key}",
        times.interval,
        [
            constant(series.POLICY_INFO, 1, _info(policy)),
            *_disabled(policy),
            *(rule for budget in policy.spec.budgets for rule in _budget(policy, budget, prices, times)),
            *(_objective(policy, objective, inputs.bounds) for objective in objectives(policy)),
            *limit_rules(policy, inputs.bounds, _key(policy)),
        ],
    )


def matching(policy: Policy, match: Match, prices: PriceTable) -> dict[str, str]:
    """The labels of recorded money that a budget counts; a model is named as the calls are."""
    given = {
        "team": match.team,
        "feature": match.feature,
        "model": None if match.model is None else prices.canonical(match.model),
        "agent": match.agent,
        "workload": match.workload,
    }
    return {"namespace": policy.identity.namespace, **{name: value for name, value in given.items() if value is not None}}


def _info(policy: Policy) -> dict[str, str]:
    delivered = policy.spec.dashboards.delivery is not Delivery.NONE
    uid = dashboard_uid("namespace", policy.identity.namespace, policy.identity.name) if delivered else dashboard_uid("fleet")
    return {**policy.spec.alerts.labels, **_key(policy), "dashboard": uid}


def _key(policy: Policy) -> dict[str, str]:
    return {"namespace": policy.identity.namespace, "policy": policy.identity.name}


def _disabled(policy: Policy) -> Iterator[Rule]:
    for name in sorted(set(policy.spec.alerts.disabled)):
        yield constant(series.ALERT_DISABLED, 1, {**_key(policy), "alertname": name})


def _budget(policy: Policy, budget: Budget, prices: PriceTable, timing: Timing) -> Iterator[Rule]:
    """The matched spend comes first: the fleet takes a budget without it for one of the whole namespace."""
    labels = {**_key(policy), "budget": budget.name, "period": budget.period.value}
    if budget.match != Match():
        yield record(series.BUDGET_MATCHED, _matched(policy, budget, prices, timing), labels)
    yield constant(metrics.BUDGET, budget.limit_usd, labels)
    for share in sorted(set(budget.warn_at)):
        yield constant(series.BUDGET_WARN, share, {**labels, "warn_at": plain(share)})


def _matched(policy: Policy, budget: Budget, prices: PriceTable, timing: Timing) -> str:
    """Read from the fleet's history, so that a budget added in the middle of a month knows the whole month."""
    only = selector(matching(policy, budget.match, prices))
    cost = series.COST if budget.match.agent is None else series.AGENT_COST
    spent = to_date(cost, period=budget.period, timing=timing, by="namespace", only=only)
    return f"sum({spent})\nor vector(0)"


def _objective(policy: Policy, objective: Objective, bounds: Bounds) -> Rule:
    found = {**_key(policy), "objective": objective.name, **labels(objective.indicator, bounds)}
    return constant(series.OBJECTIVE_TARGET, objective.indicator.target, found)
