"""The catalogue's alerts as rules: expressions filled in, silenced and labelled as each policy asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmobs.api.effective import Policy
from llmobs.api.settings import Rules
from llmobs.catalogue.alert import Alert, AlertRule, Scope, alerts
from llmobs.kit.text import fill
from llmobs.plan.dashboards.names import dashboard_uid
from llmobs.plan.rules import series
from llmobs.plan.rules.promql import Group, Rule, every_gateway, gateway_targets, group, indented
from llmobs.plan.rules.series import Timing

CAPS = {14.4: 0.2, 6: 0.55, 3: 0.78}
"""Burn factor -> how far below 1 its threshold stays: ``1 - cap * target`` lies between the error budget and 1 for every target."""


def alert_group(timing: Timing, settings: Rules, policies: Iterable[Policy], namespace: str) -> Group:
    """Every alert of the catalogue, for all namespaces at once. ``namespace`` is the gateway's."""
    names = label_names(policies)
    targets = {"gateway": gateway_targets(namespace), "gateways": every_gateway()}
    words = {"tile": timing.tile, "namespace": namespace, **targets, "burn": burn, "per_policy": per_policy}
    rules = [_rule(alert, rule, fill(rule.expr, **words).strip(), settings, names) for alert in alerts() for rule in alert.rules]
    return group("llmobs-alerts", timing.interval, rules)


def label_names(policies: Iterable[Policy]) -> tuple[str, ...]:
    """The names of all labels that any policy puts on its alerts: a join must name what it copies."""
    return tuple(sorted({name for policy in policies for name in policy.spec.alerts.labels}))


def burn(sli: str, long: str, short: str, factor: float) -> str:
    """Objectives that burn their error budget ``factor`` times too fast, as the share of calls that missed.

    Counted over the long window, with at least three misses; the short window may only veto, so that an hour without calls,
    whose ratio is no number, is not taken for a recovery. A loose objective (90 %) times 14.4 could never be exceeded:
    the threshold stays below 1.
    """
    bad, only = series.OBJECTIVE_BAD, f'{{sli="{sli}"}}'
    threshold = _threshold(f"{series.OBJECTIVE_TARGET}{only}", factor)
    return f"{bad}:ratio{long}{only} > {threshold}\nand {bad}:sum{long}{only} >= 3\nunless {bad}:ratio{short}{only} <= {threshold}"


def _threshold(target: str, factor: float) -> str:
    if factor not in CAPS:
        return f"{factor:g} * (1 - {target})"
    asked, highest = f"{factor:g} * (1 - {target})", f"1 - {CAPS[factor]:g} * {target}"
    return f"({asked} < {highest} or {highest})"


def per_policy(expr: str) -> str:
    """A value per namespace as one per policy: a namespace may have several, and each has its own labels."""
    return f"sum by (namespace, policy) ({series.POLICY_INFO}) * 0 + on (namespace) group_left () (\n{indented(expr)}\n)"


def _rule(alert: Alert, rule: AlertRule, expr: str, settings: Rules, names: tuple[str, ...]) -> Rule:
    made: dict[str, Any] = {"alert": alert.name, "expr": _joined(alert, expr, names) if alert.scope is Scope.POLICY else expr}
    if rule.for_:
        made["for"] = rule.for_
    return {**made, "labels": {"severity": rule.severity.value}, "annotations": _annotations(alert, settings)}


def _joined(alert: Alert, expr: str, names: tuple[str, ...]) -> str:
    """Without the policies that disabled the alert, with the labels of those that did not."""
    wanted = f'(\n{indented(expr)}\n)\nunless on (namespace, policy) {series.ALERT_DISABLED}{{alertname="{alert.name}"}}'
    return f"(\n{indented(wanted)}\n)\n* on (namespace, policy) group_left ({', '.join(names)}) {series.POLICY_INFO}"


def _annotations(alert: Alert, settings: Rules) -> dict[str, str]:
    made = {
        "summary": alert.summary,
        "description": " ".join(alert.description.split()),
        "runbook_url": f"{settings.runbook_url.rstrip('/')}/{alert.name}",
    }
    if settings.dashboard_url:
        made["dashboard_url"] = f"{settings.dashboard_url.rstrip('/')}/d/{_uid(alert)}"
    return made


def _uid(alert: Alert) -> str:
    """The fleet's dashboard, or the policy's own, whose uid only the policy's series knows."""
    if alert.dashboard == "fleet":
        return dashboard_uid("fleet")
    asked = f'(printf "{series.POLICY_INFO}{{namespace=%q,policy=%q}}" $labels.namespace $labels.policy)'
    return f'{{{{ with query {asked} }}}}{{{{ . | first | label "dashboard" }}}}{{{{ end }}}}'
