"""LangSmith, hosted or your own."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, SecretRef, otlp, token
from llmobs.catalogue.endpoint import ONE_PLACE, SECURE, Hosted
from llmobs.kit.schema import prop, ruled

NAME = "langsmith"
EXAMPLE = {"region": "EU", "project": "chat", "credentialsSecretRef": {"name": "langsmith", "key": "api-key"}}


class Region(enum.Enum):
    """Where the hosted product keeps data."""

    US = "US"
    EU = "EU"
    APAC = "APAC"
    AWS = "AWS"


_HOSTS = {
    Region.US: "api.smith.langchain.com",
    Region.EU: "eu.api.smith.langchain.com",
    Region.APAC: "apac.api.smith.langchain.com",
    Region.AWS: "aws.api.smith.langchain.com",
}


@ruled(SECURE, ONE_PLACE)
@dataclass(frozen=True, kw_only=True)
class Config(Hosted):
    """A project of LangSmith. An endpoint of your own ends in /api/v1/otel."""

    region: Region | None = prop(None)
    """Region of the hosted product. Default US."""
    project: str | None = prop(None, pattern=r"^[ -~]+$", max_length=253)
    """The project, sent as Langsmith-Project; absent means the project "default"."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an API key, sent as x-api-key."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials, header="x-api-key", scheme="")
    base = config.endpoint or f"https://{_HOSTS[config.region or Region.US]}/otel"
    return otlp(base, headers={"Langsmith-Project": config.project} if config.project else None, auth=auth)
