"""New Relic."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from llmobs.catalogue.backend import BackendConfig, Exporter, SecretRef, otlp, token
from llmobs.kit.schema import prop

NAME = "newrelic"
EXAMPLE = {"region": "EU", "credentialsSecretRef": {"name": "newrelic", "key": "license-key"}}


class Region(enum.Enum):
    """Region of the account."""

    US = "US"
    EU = "EU"
    JP = "JP"
    FED_RAMP = "FedRAMP"


_HOSTS = {
    Region.US: "otlp.nr-data.net",
    Region.EU: "otlp.eu01.nr-data.net",
    Region.JP: "otlp.jp.nr-data.net",
    Region.FED_RAMP: "gov-otlp.nr-data.net",
}


@dataclass(frozen=True, kw_only=True)
class Config(BackendConfig):
    """An account of New Relic."""

    region: Region = prop(Region.US)
    """Region of the account. Default US."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds a license key, sent as api-key."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = token(config.credentials_secret_ref, credentials, header="api-key", scheme="")
    return replace(otlp(f"https://{_HOSTS[config.region]}", auth=auth), largest=1_000_000)
