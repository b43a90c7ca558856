"""LLMObservability: what a team asks for in its namespace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.api.v1alpha1.agents import Agents
from llmobs.api.v1alpha1.alerting import Alerts, Dashboards
from llmobs.api.v1alpha1.backends import Backend
from llmobs.api.v1alpha1.budgets import Budget
from llmobs.api.v1alpha1.collector import Collector, CollectorMode
from llmobs.api.v1alpha1.content import Content
from llmobs.api.v1alpha1.injection import Injection
from llmobs.api.v1alpha1.objectives import Objective
from llmobs.api.v1alpha1.sampling import Sampling
from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.catalogue.backends import secretive, serial
from llmobs.kit.schema import Rule, prop, ruled

RESERVED = ("k8s.", "llm.", "llmobs.")
"""Attributes that the platform itself sets."""


@ruled(
    Rule(
        cel="!has(self.backends) || size(self.backends) == 0 || !has(self.collector) || !has(self.collector.mode) || "
        "self.collector.mode != 'External'",
        message="with collector.mode External the receiver at collector.endpoint passes traces on; remove the backends",
        holds=lambda spec: not (spec.collector.external and spec.backends),
        path="backends",
    ),
    Rule(
        cel="(has(self.collector) && has(self.collector.mode) && self.collector.mode == 'Dedicated') || !has(self.backends) || "
        f"self.backends.all(b, {' && '.join(f'(!has(b.{name}) || !has(b.{name}.credentialsSecretRef))' for name in secretive())})",
        message="a Secret of the namespace needs collector.mode Dedicated: the shared gateway reads none; "
        "ask the platform for a destination and name it instead",
        holds=lambda spec: spec.collector.mode is CollectorMode.DEDICATED or not any(item.secret for item in spec.backends),
        path="backends",
    ),
    Rule(
        cel="(has(self.collector) && has(self.collector.mode) && self.collector.mode == 'Dedicated') || !has(self.backends) || "
        f"self.backends.all(b, {' && '.join(f'!has(b.{name})' for name in serial())})",
        message="a receiver of series of the namespace's own needs collector.mode Dedicated: each costs a gateway a reading of all its "
        "series; ask the platform for a destination and name it instead",
        holds=lambda spec: spec.collector.mode is CollectorMode.DEDICATED or not any(item.series for item in spec.backends),
        path="backends",
    ),
)
@dataclass(frozen=True, kw_only=True)
class LLMObservabilitySpec:
    """What the namespace asks for. Everything has a useful default: an empty spec instruments every pod of the namespace."""

    selector: LabelSelector = prop(factory=LabelSelector)
    """The pods this resource is for; empty means every pod of the namespace."""
    attributes: Mapping[str, str] = prop(
        factory=dict,
        max_properties=32,
        rules=(
            Rule(
                cel="self.all(key, !key.startsWith('k8s.') && !key.startsWith('llm.') && !key.startsWith('llmobs.'))",
                message="attributes that begin with k8s., llm. or llmobs. are the platform's own; choose another name",
                holds=lambda found: not any(key.startswith(RESERVED) for key in found),
            ),
        ),
    )
    """Attributes put on every span; team, feature and environment also become metric labels."""
    injection: Injection = prop(factory=Injection)
    """How pods are instrumented."""
    content: Content = prop(factory=Content)
    """What happens to prompts and answers."""
    collector: Collector = prop(factory=Collector)
    """Where telemetry is processed."""
    sampling: Sampling = prop(factory=Sampling)
    """Which traces are sent to the backends."""
    backends: tuple[Backend, ...] = prop((), max_items=16, keys=("name",))
    """Where traces are sent. Metrics always go to Prometheus, whatever stands here."""
    budgets: tuple[Budget, ...] = prop((), max_items=32, keys=("name",))
    """Amounts of money per period."""
    objectives: tuple[Objective, ...] = prop((), max_items=16, keys=("name",))
    """Service level objectives. None given means availability 99 % and no latency objective."""
    agents: Agents = prop(factory=Agents)
    """What a run of an agent may cost and do before an alert is raised."""
    alerts: Alerts = prop(factory=Alerts)
    """How alerts are labelled and which are not wanted."""
    dashboards: Dashboards = prop(factory=Dashboards)
    """How dashboards are delivered."""
