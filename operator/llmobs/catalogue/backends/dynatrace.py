"""Dynatrace, SaaS or Managed."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import SECURE, Hosted
from llmobs.kit.schema import Rule, prop, ruled

NAME = "dynatrace"
EXAMPLE = {"environment": "abc12345", "credentialsSecretRef": {"name": "dynatrace"}}


@ruled(
    SECURE,
    Rule(
        cel="has(self.environment) != has(self.endpoint)",
        message="set environment for SaaS or endpoint for Managed and ActiveGates",
        holds=lambda c: (c.environment is None) != (c.endpoint is None),
    ),
)
@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """An environment of Dynatrace. An endpoint of your own ends in /api/v2/otlp."""

    environment: str | None = prop(None, pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    """Id of the SaaS environment: the first part of its host name."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds a token with the scope openTelemetryTrace.ingest, sent as "Authorization: Api-Token <token>"."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials, scheme="Api-Token")
    return otlp(config.endpoint or f"https://{config.environment}.live.dynatrace.com/api/v2/otlp", auth=auth)
