"""Any receiver of OTLP over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import Addressed
from llmobs.kit.schema import prop

NAME = "otlp"
EXAMPLE = {"endpoint": "https://otlp.example.com", "headers": {"X-Scope-OrgID": "llm"}, "credentialsSecretRef": {"name": "otlp-token"}}


@dataclass(frozen=True, kw_only=True)
class Config(Addressed):
    """An OTLP/HTTP receiver."""

    headers: Mapping[str, str] = prop(factory=dict, max_properties=32)
    """Headers sent with every request. Not for credentials: these belong in a Secret."""
    credentials_secret_ref: SecretRef | None = prop(None)
    """A Secret whose key holds a token, sent as "Authorization: Bearer <token>". Only for destinations of the platform."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's keys are mounted."""
    auth = token(config.credentials_secret_ref, credentials) if config.credentials_secret_ref else None
    return otlp(config.endpoint, headers=config.headers, auth=auth)
