"""Grafana Cloud: its OTLP gateway in front of Tempo."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import BackendConfig, Exporter, SecretRef, basic, otlp
from llmobs.kit.schema import prop

NAME = "grafanacloud"
EXAMPLE = {"zone": "prod-us-east-0", "instanceId": "123456", "credentialsSecretRef": {"name": "grafanacloud"}}


@dataclass(frozen=True, kw_only=True)
class Config(BackendConfig):
    """A stack of Grafana Cloud."""

    zone: str = prop(pattern=r"^[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?$")
    """The stack's zone: what follows otlp-gateway- in its OTLP endpoint, such as prod-us-east-0."""
    instance_id: str = prop(pattern=r"^[0-9]+$", max_length=20)
    """The stack's instance id, which is the user name."""
    credentials_secret_ref: SecretRef = prop()
    """A Secret whose key holds an access policy token."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    auth = basic(config.credentials_secret_ref, credentials, user=config.instance_id)
    return otlp(f"https://otlp-gateway-{config.zone}.grafana.net/otlp", auth=auth)
