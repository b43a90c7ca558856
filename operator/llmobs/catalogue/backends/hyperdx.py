"""HyperDX, hosted or your own (ClickStack)."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import Hosted
from llmobs.kit.schema import prop

NAME = "hyperdx"
EXAMPLE = {"credentialsSecretRef": {"name": "hyperdx", "key": "api-key"}}


@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """A team of HyperDX."""

    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds the ingestion API key, sent as it is in Authorization."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    return otlp(config.endpoint or "https://in-otel.hyperdx.io", auth=token(config.credentials_secret_ref, credentials, scheme=""))
