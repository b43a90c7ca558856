"""Laminar, hosted or your own."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import Hosted
from llmobs.kit.schema import prop

NAME = "laminar"
EXAMPLE = {"credentialsSecretRef": {"name": "laminar", "key": "api-key"}}


@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """A project of Laminar."""

    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds the project's API key, sent as "Authorization: Bearer <key>"."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    return otlp(config.endpoint or "https://api.lmnr.ai", auth=token(config.credentials_secret_ref, credentials))
