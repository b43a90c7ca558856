"""What a policy may not ask of its alerts: unknown names, labels that Prometheus or our own rules would trip over."""

from __future__ import annotations

import re
from difflib import get_close_matches

from llmobs.api.effective import Policy
from llmobs.catalogue.alert import Scope, alerts
from llmobs.kit.errors import Invalid
from llmobs.plan.rules import series

LABEL_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"

_SERIES = (*series.BUDGET_LABELS, *series.OBJECTIVE_LABELS, *series.AGENT_LABELS)
OURS = frozenset({"alertname", "severity", "dashboard", "warn_at", "exporter", "part", *_SERIES})
"""Labels that alerts have anyway; one put on them would hide what the alert is about."""


def check(policy: Policy) -> None:
    """Raise :class:`Invalid` for the first thing in ``spec.alerts`` that rules can't honour."""
    for index, name in enumerate(policy.spec.alerts.disabled):
        _disabled(f"spec.alerts.disabled[{index}]", name)
    for name in policy.spec.alerts.labels:
        _label(f"spec.alerts.labels[{name!r}]", name)


def _disabled(path: str, name: str) -> None:
    own = [alert.name for alert in alerts() if alert.scope is Scope.POLICY]
    if name in own:
        return
    if any(alert.name == name for alert in alerts()):
        raise Invalid(path, f"{name} is about the platform, not about a namespace; silence it in Alertmanager")
    near = get_close_matches(name, own, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(own)}"
    raise Invalid(path, f"{name!r} is not an alert; {hint}")


def _label(path: str, name: str) -> None:
    if re.fullmatch(LABEL_NAME, name) is None or name.startswith("__"):
        raise Invalid(path, "a label's name is letters, digits and _, does not begin with a digit and not with __")
    if name in OURS:
        raise Invalid(path, f"{name} is set by the alerts themselves; choose another name")
