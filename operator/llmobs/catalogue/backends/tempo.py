"""Grafana Tempo that you run yourself; Grafana Cloud is another module."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import Addressed
from llmobs.kit.schema import prop

NAME = "tempo"
EXAMPLE = {"endpoint": "http://tempo-distributor.tracing.svc:4318", "tenant": "llm", "credentialsSecretRef": {"name": "tempo"}}


@dataclass(frozen=True, kw_only=True)
class Config(Addressed):
    """Tempo with its OTLP receiver."""

    tenant: str | None = prop(None, pattern=r"^[-a-zA-Z0-9!_.*'()]{1,150}$")
    """The tenant, sent as X-Scope-OrgID; absent for an installation without tenants."""
    credentials_secret_ref: SecretRef | None = prop(None)
    """A Secret whose key holds a token for the proxy in front of it, sent as "Authorization: Bearer <token>"."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials) if config.credentials_secret_ref else None
    return otlp(config.endpoint, headers={"X-Scope-OrgID": config.tenant} if config.tenant else None, auth=auth)
