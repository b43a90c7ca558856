"""Where a namespace's traces and series are sent."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.api.v1alpha1.naming import NAME
from llmobs.catalogue.backend import BackendConfig, SecretRef
from llmobs.catalogue.backends import backend_of, configs, secret_of, takes_series
from llmobs.kit.schema import Rule, prop, ruled


@ruled(
    Rule(
        cel="has(self.destination) != (" + " || ".join(f"has(self.{name})" for name in configs()) + ")",
        message="set destination or exactly one of " + ", ".join(configs()),
        holds=lambda b: (b.destination is None) != (b.config is None),
    ),
)
@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where the namespace's traces, or with prometheusremotewrite its derived series, are sent."""

    name: str = prop(pattern=NAME)
    """Name of the backend inside this resource."""
    destination: str | None = prop(None, pattern=NAME)
    """Name of a destination that the platform offers in a ClusterLLMObservability."""
    config: BackendConfig | None = prop(None, one_of=configs())

    @property
    def secret(self) -> SecretRef | None:
        """The Secret of the namespace that holds its credential."""
        return secret_of(self.config) if self.config else None

    @property
    def series(self) -> bool:
        """Whether it is a receiver of series that no platform offers."""
        return self.config is not None and takes_series(backend_of(self.config))

    @property
    def apart(self) -> bool:
        """Whether it needs a gateway of the namespace's own."""
        return self.secret is not None or self.series
