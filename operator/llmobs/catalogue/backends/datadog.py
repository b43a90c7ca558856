"""Datadog LLM Observability, through its OTLP intake: the exporter of Datadog itself is not in the collector we build."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.catalogue.backend import BackendConfig, Exporter, SecretRef, otlp, token
from llmobs.kit.schema import prop

NAME = "datadog"
EXAMPLE = {"site": "EU1", "credentialsSecretRef": {"name": "datadog", "key": "api-key"}}


class Site(enum.Enum):
    """Site of the organisation."""

    US1 = "US1"
    US3 = "US3"
    US5 = "US5"
    EU1 = "EU1"
    AP1 = "AP1"
    AP2 = "AP2"


_HOSTS = {
    Site.US1: "otlp.datadoghq.com",
    Site.US3: "otlp.us3.datadoghq.com",
    Site.US5: "otlp.us5.datadoghq.com",
    Site.EU1: "otlp.datadoghq.eu",
    Site.AP1: "otlp.ap1.datadoghq.com",
    Site.AP2: "otlp.ap2.datadoghq.com",
}


@dataclass(frozen=True, kw_only=True)
class Config(BackendConfig):
    """An organisation of Datadog."""

    site: Site = prop(Site.US1)
    """Site of the organisation. Default US1."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an API key, sent as dd-api-key."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials, header="dd-api-key", scheme="")
    return otlp(f"https://{_HOSTS[config.site]}", headers={"dd-otlp-source": "llmobs"}, auth=auth)
