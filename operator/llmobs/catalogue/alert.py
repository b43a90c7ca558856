"""The contract of an alert: one YAML file in ``alerts/`` with its rules, its words, its runbook and its tests."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from llmobs.kit.decode import decode
from llmobs.kit.discovery import texts
from llmobs.kit.durations import DURATION
from llmobs.kit.errors import Invalid
from llmobs.kit.schema import Rule, prop, ruled

DIRECTORY = "llmobs.catalogue.alerts"


class Severity(enum.Enum):
    """How urgent an alert is."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class Scope(enum.Enum):
    """Whom an alert is about, and so which labels its expression keeps."""

    POLICY = "Policy"
    """One policy: the expression keeps ``namespace`` and ``policy``; the policy may disable it and put labels on it."""
    PLATFORM = "Platform"
    """The platform: nobody's namespace can disable it."""


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One alerting rule. Several rules of an alert differ in severity."""

    severity: Severity = prop()
    """The label ``severity``."""
    expr: str = prop(min_length=1)
    """PromQL; ``[[ ]]`` is filled in by the plan: ``tile``, ``burn(…)``, ``per_policy(…)``, and as selectors of what is scraped
    ``gateway`` (the shared one) and ``gateways`` (all)."""
    for_: str = prop("", pattern=DURATION)
    """How long the expression must hold; empty: at once."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query for the one who was woken."""

    title: str = prop(min_length=1)
    """What the answer shows."""
    expr: str = prop(min_length=1)
    """PromQL with ``NAMESPACE`` and ``POLICY`` for the alert's labels."""


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """What to do, in the four sections that every page has. Markdown."""

    meaning: str = prop(min_length=1)
    """What is true when the alert fires."""
    impact: str = prop(min_length=1)
    """What happens when nobody acts."""
    diagnosis: str = prop(min_length=1)
    """How to find the cause."""
    queries: tuple[Query, ...] = prop(min_items=1)
    """Queries of the diagnosis."""
    mitigation: str = prop(min_length=1)
    """What makes it stop."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """An alert that a test case expects to fire."""

    severity: Severity = prop()
    """Which rule fires."""
    labels: Mapping[str, str] = prop(factory=dict)
    """Its other labels."""
    description: str = prop(min_length=1)
    """Its description, filled in."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A test on a real promtool: the raw series go in, and at a moment the alert fires or stays silent.

    The policy is ``checkout`` in the namespace ``team-a``.
    """

    name: str = prop(min_length=1)
    """A sentence: when it fires, or when it stays silent."""
    spec: Mapping[str, Any] = prop(factory=dict)
    """The policy's spec."""
    start: str = prop("2026-11-10T00:00:00Z", pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$")
    """When the series begin."""
    step: str = prop("1m", pattern=DURATION)
    """Time between two samples."""
    series: Mapping[str, str] = prop(factory=dict)
    """Series and values in promtool's notation."""
    at: str = prop(pattern=DURATION)
    """When to look, from the start."""
    fires: tuple[Expected, ...] = prop(())
    """What fires then; nothing: the alert is silent."""


@ruled(
    Rule(
        cel="",
        message="must be one static sentence that ends in a full stop; what varies belongs into the description",
        holds=lambda alert: alert.summary.endswith(".") and "{{" not in alert.summary,
        path="summary",
    ),
    Rule(
        cel="",
        message="needs a case in which the alert fires and one in which it stays silent",
        holds=lambda alert: {bool(case.fires) for case in alert.tests} == {True, False},
        path="tests",
    ),
)
@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert. Its name is its file's name."""

    name: str = prop(pattern=r"^LLM[A-Za-z]+$")
    """The label ``alertname``."""
    scope: Scope = prop(Scope.POLICY)
    """Whom it is about."""
    summary: str = prop(min_length=1)
    """One static sentence."""
    description: str = prop(min_length=1)
    """What happened, with the values; a Prometheus template."""
    dashboard: str = prop(pattern=r"^(fleet|namespace)$")
    """Where to look."""
    rules: tuple[AlertRule, ...] = prop(min_items=1, keys=("severity",))
    """The rules, most urgent first, each of its own severity."""
    runbook: Runbook = prop()
    """What to do."""
    tests: tuple[Case, ...] = prop(min_items=2, keys=("name",))
    """Proof that it fires, and that it does not."""


@cache
def alerts() -> tuple[Alert, ...]:
    """Every alert of the catalogue, by name. Raises :class:`Invalid` with the file's name for one that breaks the contract."""
    return tuple(_alert(stem, text) for stem, text in texts(DIRECTORY, ".yaml"))


def _alert(stem: str, text: str) -> Alert:
    try:
        made = decode(Alert, yaml.safe_load(text))
    except Invalid as wrong:
        raise wrong.under(f"{stem}.yaml") from None
    if made.name != stem:
        raise Invalid(f"{stem}.yaml.name", f"must be the file's name, {stem}")
    return made
