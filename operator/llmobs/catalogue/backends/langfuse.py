"""Langfuse, hosted or your own (3.22 or newer)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, basic, otlp
from llmobs.catalogue.endpoint import ONE_PLACE, SECURE, Hosted
from llmobs.kit.schema import prop, ruled

NAME = "langfuse"
EXAMPLE = {"region": "US", "publicKey": "pk-lf-example", "credentialsSecretRef": {"name": "langfuse", "key": "secret-key"}}


class Region(enum.Enum):
    """Where the hosted product keeps data."""

    EU = "EU"
    US = "US"
    JP = "JP"
    HIPAA = "HIPAA"


_HOSTS = {Region.EU: "cloud", Region.US: "us.cloud", Region.JP: "jp.cloud", Region.HIPAA: "hipaa.cloud"}


@ruled(SECURE, ONE_PLACE)
@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """A project of Langfuse."""

    region: Region | None = prop(None)
    """Region of the hosted product. Default EU."""
    public_key: str = prop(pattern=r"^[-_.a-zA-Z0-9]+$", max_length=253)
    """The project's public key, such as pk-lf-…; it only identifies."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds the project's secret key."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    base = config.endpoint or f"https://{_HOSTS[config.region or Region.EU]}.langfuse.com"
    path = "/api/public/otel"
    auth = basic(config.credentials_secret_ref, credentials, user=config.public_key)
    return otlp(base.rstrip("/").removesuffix(path) + path, headers={"x-langfuse-ingestion-version": "4"}, auth=auth)
