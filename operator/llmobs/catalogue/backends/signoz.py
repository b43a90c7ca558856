"""SigNoz, hosted or your own."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import SECURE, Hosted
from llmobs.kit.schema import Rule, prop, ruled

NAME = "signoz"
EXAMPLE = {"region": "IN", "credentialsSecretRef": {"name": "signoz", "key": "ingestion-key"}}


class Region(enum.Enum):
    """Where the hosted product keeps data."""

    US = "US"
    EU = "EU"
    IN = "IN"


@ruled(
    SECURE,
    Rule(
        cel="has(self.region) != has(self.endpoint)",
        message="set region for the hosted product or endpoint for an installation of your own",
        holds=lambda c: (c.region is None) != (c.endpoint is None),
    ),
    Rule(
        cel="!has(self.region) || has(self.credentialsSecretRef)",
        message="is required with region: the hosted product takes nothing without an ingestion key",
        holds=lambda c: c.region is None or c.credentials_secret_ref is not None,
        path="credentialsSecretRef",
    ),
)
@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """SigNoz with its OTLP receiver."""

    region: Region | None = prop(None)
    """Region of the hosted product."""
    credentials_secret_ref: SecretRef | None = prop(None)
    """A Secret whose key holds an ingestion key, sent as signoz-ingestion-key; an installation of your own needs none."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    ref, header = config.credentials_secret_ref, "signoz-ingestion-key"
    base = config.endpoint or (f"https://ingest.{config.region.value.lower()}.signoz.cloud:443" if config.region else "")
    return otlp(base, auth=token(ref, credentials, header=header, scheme="") if ref else None)
