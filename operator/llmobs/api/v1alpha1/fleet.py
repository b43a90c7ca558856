"""ClusterLLMObservability: what the platform sets for many namespaces."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.api.v1alpha1.collector import CollectorMode
from llmobs.api.v1alpha1.content import Capture
from llmobs.api.v1alpha1.naming import NAME
from llmobs.api.v1alpha1.observability import LLMObservabilitySpec
from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.catalogue.backend import BackendConfig
from llmobs.catalogue.backends import backend_of, configs, serial, takes_series
from llmobs.kit.schema import Rule, prop, ruled


class WithoutPolicy(enum.Enum):
    """What happens in a namespace that has no LLMObservability of its own."""

    IGNORE = "Ignore"
    APPLY = "Apply"


@dataclass(frozen=True, kw_only=True)
class ContentLimits:
    """The most that a namespace may capture."""

    max_capture: Capture = prop(Capture.NONE)
    """The highest content.capture a namespace may have; a higher one is lowered to it and said so. Default None."""
    max_sample_ratio: float = prop(1.0, minimum=0, maximum=1)
    """The highest content.sampleRatio a namespace may have; a higher one is lowered to it and said so. Default 1."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Ceilings. A namespace that asks for more gets the ceiling, and its condition Accepted says so."""

    content: ContentLimits = prop(factory=ContentLimits)
    """The most that a namespace may capture."""
    collector_modes: tuple[CollectorMode, ...] | None = prop(
        None,
        min_items=1,
        max_items=8,
        rules=(
            Rule(
                cel="self[0] != 'External'",
                message="a namespace with another mode gets the first one, and External needs an endpoint of its own; put Shared first",
                holds=lambda modes: modes is None or modes[0] is not CollectorMode.EXTERNAL,
            ),
        ),
    )
    """Values of collector.mode that these namespaces may choose; another one becomes the first of them. Absent means every mode."""
    destinations: tuple[str, ...] | None = prop(None, max_items=64)
    """Names of the destinations that these namespaces may use; absent means every destination that allows them."""


@ruled(
    Rule(
        cel="!has(self.allSeries) || !self.allSeries || " + " || ".join(f"has(self.{name})" for name in serial()),
        message="is for receivers of series: " + ", ".join(serial()),
        holds=lambda found: not found.all_series or takes_series(backend_of(found.config)),
        path="allSeries",
    ),
)
@dataclass(frozen=True, kw_only=True)
class Destination:
    """A receiver of traces or series that namespaces may name without seeing its credentials."""

    name: str = prop(pattern=NAME)
    """Name that an LLMObservability uses in backends[].destination; unique in the cluster."""
    allowed_namespaces: LabelSelector = prop(factory=LabelSelector)
    """Labels of the namespaces that may use it; empty means every namespace."""
    all_series: bool = prop(False)
    """Send it the derived series of every namespace that the shared gateway serves, and the gateway's own, whoever names it and whatever
    allowedNamespaces says: for a platform whose rules and dashboards live there. Only for prometheusremotewrite. Default false: the
    series of namespaces that name it."""
    config: BackendConfig = prop(one_of=configs())


@dataclass(frozen=True, kw_only=True)
class ClusterLLMObservabilitySpec:
    """Defaults, ceilings and destinations for the namespaces it selects."""

    namespace_selector: LabelSelector = prop(factory=LabelSelector)
    """Labels of the namespaces this resource is for; empty means every namespace."""
    priority: int = prop(0, minimum=-1000000, maximum=1000000, default_in_crd=True)
    """When several resources select a namespace, the highest priority wins, then the first name."""
    defaults: LLMObservabilitySpec = prop(factory=LLMObservabilitySpec)
    """Any field of an LLMObservability's spec; a namespace's own value wins."""
    without_policy: WithoutPolicy = prop(WithoutPolicy.IGNORE)
    """What happens in selected namespaces that have no LLMObservability. Ignore: nothing. Apply: the defaults apply to their pods as a
    policy of its own would: injection with rollout and rollback, attributes, content, sampling and backends; how pods fare is told in
    the status of this resource. Budgets, objectives, alerts and dashboards need an LLMObservability in the namespace; its first one
    takes the place of the defaults. A namespace that may not use a destination of the defaults is left alone. Default Ignore."""
    limits: Limits = prop(factory=Limits)
    """Ceilings for the selected namespaces."""
    destinations: tuple[Destination, ...] = prop((), max_items=64, keys=("name",))
    """Receivers of traces and series that namespaces may name. Their Secrets live in the operator's namespace."""
