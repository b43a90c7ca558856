"""Helicone, which takes OTLP as JSON at a path of its own."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, token
from llmobs.catalogue.endpoint import Hosted
from llmobs.kit.schema import prop

NAME = "helicone"
EXAMPLE = {"credentialsSecretRef": {"name": "helicone", "key": "api-key"}}


@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """An organisation of Helicone. An endpoint of your own is given without /v1/trace/log."""

    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an API key, sent as "Authorization: Bearer <key>"."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    base = (config.endpoint or "https://api.helicone.ai").rstrip("/")
    settings = {"traces_endpoint": f"{base}/v1/trace/log", "encoding": "json"}
    return Exporter(type="otlp_http", settings=settings, auth=token(config.credentials_secret_ref, credentials))
