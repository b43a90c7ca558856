"""Where a namespace's traces are sent."""

from __future__ import annotations

from dataclasses import dataclass, fields

from llmobs.api.v1alpha1.naming import NAME
from llmobs.catalogue.backend import BackendConfig
from llmobs.catalogue.backends import CREDENTIALS, open_configs
from llmobs.kit.schema import Rule, prop, ruled


@ruled(
    Rule(
        cel="has(self.destination) != (" + " || ".join(f"has(self.{name})" for name in open_configs()) + ")",
        message="set destination or exactly one of " + ", ".join(open_configs()) + "; a receiver with credentials is a destination",
        holds=lambda b: (b.destination is None) != (b.config is None),
    ),
    *(
        Rule(
            cel=f"!has(self.{name}) || !has(self.{name}.credentialsSecretRef)",
            message="the shared gateway reads no Secret of a namespace; ask the platform for a destination and name it instead",
            holds=lambda b: getattr(b.config, "credentials_secret_ref", None) is None,
            path=f"{name}.credentialsSecretRef",
        )
        for name, config in open_configs().items()
        if any(item.name == CREDENTIALS for item in fields(config))
    ),
)
@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where the namespace's traces are sent."""

    name: str = prop(pattern=NAME)
    """Name of the backend inside this resource."""
    destination: str | None = prop(None, pattern=NAME)
    """Name of a destination that the platform offers in a ClusterLLMObservability."""
    config: BackendConfig | None = prop(None, one_of=open_configs())
