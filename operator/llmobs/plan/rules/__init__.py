"""Recording rules and alerts: one PrometheusRule for the fleet, a small one per policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.names import FLEET_RULES, labels, policy_rules
from llmobs.plan.inputs import Inputs, Manifest, Part
from llmobs.plan.rules.agents import agents_group
from llmobs.plan.rules.alerts import alert_group
from llmobs.plan.rules.checks import check
from llmobs.plan.rules.money import agent_history_group, budget_group, history_group
from llmobs.plan.rules.policies import policy_group
from llmobs.plan.rules.promql import Group
from llmobs.plan.rules.series import timing
from llmobs.plan.rules.sharing import shared
from llmobs.plan.rules.unmeasured import unmeasured
from llmobs.plan.rules.usage import agent_cost_group, calls_group, cost_group, tokens_group

__all__ = ["bare_groups", "check", "fleet", "fleet_groups", "parts", "policy", "policy_parts"]

_COMPONENT = "rules"

MISSING = (
    "PrometheusRule is not known to the API server: no recording rules, no alerts, no spend. "
    "Install prometheus-operator (or its CustomResourceDefinitions); the operator notices by itself."
)


def parts(inputs: Inputs) -> tuple[Part, ...]:
    """The fleet's rules, or why there are none."""
    return _parts(fleet(inputs)) if inputs.facts.prometheus_operator else _skipped()


def policy_parts(inputs: Inputs, policy_: Policy) -> tuple[Part, ...]:
    """The rules of one policy, or why there are none."""
    if not inputs.facts.prometheus_operator:
        return _skipped()
    return _parts(policy(inputs, policy_), unmeasured(policy_) or shared(policy_, inputs.bounds))


def fleet(inputs: Inputs) -> Manifest:
    """The PrometheusRule that counts, adds up and alerts for all namespaces at once."""
    return _manifest(inputs, name=FLEET_RULES, namespace=inputs.facts.namespace, owner="fleet", groups=fleet_groups(inputs))


def policy(inputs: Inputs, policy_: Policy) -> Manifest:
    """The PrometheusRule that says what one policy asks for."""
    identity = policy_.identity
    made = policy_group(inputs, policy_)
    return _manifest(inputs, name=policy_rules(identity.name), namespace=identity.namespace, owner=identity.uid, groups=[made])


def fleet_groups(inputs: Inputs) -> list[Group]:
    """The fleet's rule groups; a group reads only what it records itself, earlier, or what others recorded before."""
    settings, times = inputs.settings.rules, timing(inputs.settings)
    return [
        cost_group(times),
        agent_cost_group(times),
        calls_group(times, inputs),
        tokens_group(times),
        *agents_group(times, inputs),
        history_group(times),
        agent_history_group(times),
        budget_group(times, inputs.facts.namespace),
        alert_group(times, settings, inputs.policies, inputs.facts.namespace),
    ]


def bare_groups(inputs: Inputs) -> dict[str, Any]:
    """All rules as one file for Prometheus itself, without Kubernetes around it."""
    return {"groups": [*fleet_groups(inputs), *(policy_group(inputs, item) for item in inputs.policies)]}


def _parts(manifest: Manifest, finding: Finding | None = None) -> tuple[Part, ...]:
    return (Part(condition=ConditionType.RULES_READY, manifests=(manifest,), finding=finding),)


def _skipped() -> tuple[Part, ...]:
    finding = Finding(ConditionType.RULES_READY, Status.UNKNOWN, Reason.PROMETHEUS_OPERATOR_NOT_INSTALLED, MISSING)
    return (Part(condition=ConditionType.RULES_READY, finding=finding),)


def _manifest(inputs: Inputs, *, name: str, namespace: str, owner: str, groups: Iterable[Group]) -> Manifest:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {**inputs.settings.rules.labels, **labels(owner, _COMPONENT)},
        },
        "spec": {"groups": list(groups)},
    }
