"""Arize Phoenix, hosted or your own."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import Addressed
from llmobs.kit.schema import prop

NAME = "phoenix"
EXAMPLE = {"endpoint": "http://phoenix.phoenix.svc:6006", "project": "chat", "credentialsSecretRef": {"name": "phoenix"}}


@dataclass(frozen=True, kw_only=True)
class Config(Addressed):
    """Phoenix; a space of the hosted product has its own URL, such as https://app.phoenix.arize.com/s/SPACE."""

    project: str | None = prop(None, min_length=1, max_length=253)
    """The project, sent as the resource attribute openinference.project.name; absent means Phoenix's project "default"."""
    credentials_secret_ref: SecretRef | None = prop(None)
    """A Secret whose key holds an API key, sent as "Authorization: Bearer <key>"; absent when authentication is off."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials) if config.credentials_secret_ref else None
    return otlp(config.endpoint, auth=auth, resource={"openinference.project.name": config.project} if config.project else None)
