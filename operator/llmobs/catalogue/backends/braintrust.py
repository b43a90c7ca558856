"""Braintrust, hosted or with a data plane of your own."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import SECURE, Hosted
from llmobs.kit.schema import Rule, prop, ruled

NAME = "braintrust"
EXAMPLE = {"project": "chat", "credentialsSecretRef": {"name": "braintrust", "key": "api-key"}}


@ruled(
    SECURE,
    Rule(
        cel="has(self.project) != has(self.projectId)",
        message="set project or projectId, so that Braintrust knows where spans belong",
        holds=lambda c: (c.project is None) != (c.project_id is None),
    ),
)
@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """A project of Braintrust. An endpoint of your own ends in /otel."""

    project: str | None = prop(None, pattern=r"^[ -~]+$", max_length=253)
    """Name of the project, sent as x-bt-parent."""
    project_id: str | None = prop(None, pattern=r"^[-a-zA-Z0-9]+$", max_length=64)
    """Id of the project, sent as x-bt-parent."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an API key, sent as "Authorization: Bearer <key>"."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    parent = f"project_id:{config.project_id}" if config.project_id else f"project_name:{config.project}"
    auth = token(config.credentials_secret_ref, credentials)
    return otlp(config.endpoint or "https://api.braintrust.dev/otel", headers={"x-bt-parent": parent}, auth=auth)
