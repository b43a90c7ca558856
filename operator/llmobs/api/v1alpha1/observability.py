"""LLMObservability: what a team asks for in its namespace."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.catalogue.backend import BackendConfig
from llmobs.catalogue.backends import configs
from llmobs.kit.durations import SHORT, seconds
from llmobs.kit.schema import Rule, prop, ruled

NAME = r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$"
"""Names inside a resource: they become label values and parts of object names."""


RESERVED = ("k8s.", "llm.", "llmobs.")
"""Attributes that the platform itself sets."""

OWN_VARIABLES = (
    "LLMOBS_ENDPOINT",
    "LLMOBS_CONTENT",
    "LLMOBS_RESOURCE_ATTRIBUTES",
    "LLMOBS_POD_NAME",
    "LLMOBS_POD_UID",
    "LLMOBS_NODE_NAME",
)
"""Variables whose values follow from other fields."""


class InjectionMode(enum.Enum):
    """Which matching pods are instrumented."""

    AUTO = "Auto"
    OPT_IN = "OptIn"
    DISABLED = "Disabled"


class Capture(enum.Enum):
    """How much of prompts and answers may leave the pod, least first."""

    NONE = "None"
    FULL = "Full"

    @property
    def rank(self) -> int:
        """Position in the order of permission; a ceiling allows every rank up to its own."""
        return list(Capture).index(self)


class CollectorMode(enum.Enum):
    """Where the namespace's telemetry is processed."""

    SHARED = "Shared"


class Period(enum.Enum):
    """The calendar span of a budget, in UTC; weeks start on Monday."""

    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


class Delivery(enum.Enum):
    """How dashboards reach Grafana."""

    CONFIG_MAP = "ConfigMap"
    NONE = "None"


@dataclass(frozen=True, kw_only=True)
class Containers:
    """Which containers of a pod are instrumented."""

    include: tuple[str, ...] = prop((), max_items=64)
    """Names of the containers to instrument; empty means every app container.
    An init container is only ever instrumented when named here."""
    exclude: tuple[str, ...] = prop((), max_items=64)
    """Names of containers to leave alone; wins over include."""


@dataclass(frozen=True, kw_only=True)
class EnvVar:
    """One environment variable."""

    name: str = prop(
        pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$",
        max_length=256,
        rules=(
            Rule(
                cel=f"!(self in [{', '.join(repr(name) for name in OWN_VARIABLES)}])",
                message="follows from other fields of this resource; set it on the pod itself where one pod must differ",
                holds=lambda name: name not in OWN_VARIABLES,
            ),
        ),
    )
    """The variable's name."""
    value: str = prop("", max_length=32768)
    """Its value; $(OTHER) refers to another variable of the container."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """How pods are instrumented."""

    mode: InjectionMode = prop(InjectionMode.AUTO)
    """Auto: every matching pod unless labelled llmobs.dev/inject=false. OptIn: only pods labelled llmobs.dev/inject=true.
    Disabled: none, whatever the labels say. Default Auto."""
    containers: Containers = prop(factory=Containers)
    """Which containers of a pod are instrumented."""
    env: tuple[EnvVar, ...] = prop((), max_items=64, keys=("name",))
    """Extra variables for instrumented containers. A variable that the pod sets itself is never replaced."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What happens to prompts and answers."""

    capture: Capture = prop(Capture.NONE)
    """None: prompts and answers never leave the pod. Full: they are kept on the spans. The platform's ceiling applies. Default None."""


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Where telemetry is processed."""

    mode: CollectorMode = prop(CollectorMode.SHARED)
    """Shared: the platform's gateway. Default Shared."""


@ruled(
    Rule(
        cel="has(self.destination) != (" + " || ".join(f"has(self.{name})" for name in configs()) + ")",
        message="set destination or exactly one of " + ", ".join(configs()),
        holds=lambda b: (b.destination is None) != (b.config is None),
    ),
    *(
        Rule(
            cel=f"!has(self.{name}) || !has(self.{name}.credentialsSecretRef)",
            message="the shared gateway reads no Secret of a namespace; ask the platform for a destination and name it instead",
            holds=lambda b: getattr(b.config, "credentials_secret_ref", None) is None,
            path=f"{name}.credentialsSecretRef",
        )
        for name in configs()
    ),
)
@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where the namespace's traces are sent."""

    name: str = prop(pattern=NAME)
    """Name of the backend inside this resource."""
    destination: str | None = prop(None, pattern=NAME)
    """Name of a destination that the platform offers in a ClusterLLMObservability."""
    config: BackendConfig | None = prop(None, one_of=configs())


@dataclass(frozen=True, kw_only=True)
class Match:
    """The part of the namespace's calls that a budget counts; every given value must match."""

    team: str | None = prop(None, max_length=128)
    """The resource attribute team."""
    feature: str | None = prop(None, max_length=128)
    """The resource attribute feature."""
    model: str | None = prop(None, max_length=256)
    """A model; resolved to its canonical name as the calls are."""
    agent: str | None = prop(None, max_length=128)
    """The agent's name (gen_ai.agent.name)."""
    workload: str | None = prop(None, max_length=253)
    """Name of the Deployment, StatefulSet, DaemonSet, CronJob or Job."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """An amount of money for a calendar period; alerts when it is nearly and when it is spent. It never blocks a call."""

    name: str = prop(pattern=NAME)
    """Name of the budget inside this resource."""
    period: Period = prop(Period.MONTH, default_in_crd=True)
    """Day, Week (from Monday) or Month, in UTC."""
    limit_usd: float = prop(minimum=0, exclusive_minimum=True, maximum=1e12)
    """The limit for one period, in US dollars."""
    warn_at: tuple[float, ...] = prop((0.8,), minimum=0, maximum=1, exclusive_minimum=True, max_items=5, default_in_crd=True)
    """Shares of the limit, 0 to 1, at which a warning is raised."""
    match: Match = prop(factory=Match)
    """Count only these calls; empty counts every call of the namespace."""


@dataclass(frozen=True, kw_only=True)
class Availability:
    """The share of calls that must succeed."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful calls, 0.5 to 0.99999."""


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The share of successful calls that must be fast."""

    target: float = prop(minimum=0.5, maximum=0.99999)
    """Share of successful calls that take at most the threshold, 0.5 to 0.99999."""
    threshold: str = prop(
        pattern=SHORT,
        rules=(
            Rule(
                cel="duration(self) >= duration('10ms') && duration(self) <= duration('1h')",
                message="must lie between 10ms and 1h",
                holds=lambda value: 0.01 <= seconds(value) <= 3600,
            ),
        ),
    )
    """How long a call may take, as a duration such as 500ms or 5s."""


@dataclass(frozen=True, kw_only=True)
class Objective:
    """A service level objective on the namespace's calls."""

    name: str = prop(pattern=NAME)
    """Name of the objective inside this resource."""
    indicator: Availability | Latency = prop(one_of={"availability": Availability, "latency": Latency})


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """How alerts of this namespace are labelled and which are not wanted."""

    labels: Mapping[str, str] = prop(factory=dict, max_properties=16)
    """Labels put on every alert of this resource; Alertmanager routes by them."""
    disabled: tuple[str, ...] = prop((), max_items=32)
    """Names of alerts that are not wanted, such as LLMLatencyBudgetBurn."""


@dataclass(frozen=True, kw_only=True)
class Dashboards:
    """How dashboards are delivered."""

    delivery: Delivery = prop(Delivery.CONFIG_MAP)
    """ConfigMap: a labelled ConfigMap in this namespace for Grafana's sidecar. None: no dashboards. Default ConfigMap."""


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
    backends: tuple[Backend, ...] = prop((), max_items=16, keys=("name",))
    """Where traces are sent. Metrics always go to Prometheus, whatever stands here."""
    budgets: tuple[Budget, ...] = prop((), max_items=32, keys=("name",))
    """Amounts of money per period."""
    objectives: tuple[Objective, ...] = prop((), max_items=16, keys=("name",))
    """Service level objectives. None given means availability 99 % and no latency objective."""
    alerts: Alerts = prop(factory=Alerts)
    """How alerts are labelled and which are not wanted."""
    dashboards: Dashboards = prop(factory=Dashboards)
    """How dashboards are delivered."""
