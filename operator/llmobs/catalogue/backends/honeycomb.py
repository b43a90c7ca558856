"""Honeycomb."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.catalogue.backend import BackendConfig, Exporter, SecretRef, otlp, token
from llmobs.kit.schema import prop

NAME = "honeycomb"
EXAMPLE = {"region": "EU", "dataset": "llm", "credentialsSecretRef": {"name": "honeycomb", "key": "api-key"}}


class Region(enum.Enum):
    """Region of the team."""

    US = "US"
    EU = "EU"


_HOSTS = {
    Region.US: "api.honeycomb.io",
    Region.EU: "api.eu1.honeycomb.io",
}


@dataclass(frozen=True, kw_only=True)
class Config(BackendConfig):
    """An environment of Honeycomb."""

    region: Region = prop(Region.US)
    """Region of the team. Default US."""
    dataset: str | None = prop(None, pattern=r"^[ -~]+$", max_length=253)
    """The dataset, sent as x-honeycomb-dataset. Only classic environments need it; elsewhere it follows from service.name."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an ingest key, sent as x-honeycomb-team."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials, header="x-honeycomb-team", scheme="")
    return otlp(f"https://{_HOSTS[config.region]}", headers={"x-honeycomb-dataset": config.dataset} if config.dataset else None, auth=auth)
