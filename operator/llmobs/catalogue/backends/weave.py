"""Weights & Biases Weave, hosted or your own."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import Hosted
from llmobs.kit.schema import prop

NAME = "weave"
EXAMPLE = {"entity": "acme", "project": "chat", "credentialsSecretRef": {"name": "wandb", "key": "api-key"}}


@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """A project of Weave. An endpoint of your own ends in /traces/otel."""

    entity: str = prop(min_length=1, max_length=253)
    """The team or user, sent as the resource attribute wandb.entity."""
    project: str = prop(min_length=1, max_length=253)
    """The project, sent as the resource attribute wandb.project."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an API key, sent as wandb-api-key."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials, header="wandb-api-key", scheme="")
    resource = {"wandb.entity": config.entity, "wandb.project": config.project}
    return otlp(config.endpoint or "https://trace.wandb.ai/otel", auth=auth, resource=resource)
