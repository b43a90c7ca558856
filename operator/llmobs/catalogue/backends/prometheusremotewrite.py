"""Anything that takes Prometheus' remote write: the derived series, for teams whose Prometheus reads no pods of this cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.catalogue.backend import BackendConfig, Exporter, SecretRef, basic, token
from llmobs.catalogue.endpoint import URL, secure
from llmobs.kit.schema import Rule, prop, ruled

NAME = "prometheusremotewrite"
SERIES = True
EXAMPLE = {
    "url": "https://mimir.example.com/api/v1/push",
    "username": "123456",
    "headers": {"X-Scope-OrgID": "llm"},
    "externalLabels": {"region": "eu"},
    "credentialsSecretRef": {"name": "mimir"},
}

_PATH, _OTLP = "^https?://[^/]+/.*[^/]", "/v1/(traces|metrics|logs)(/|$)"
_LABEL = "^[a-zA-Z_][a-zA-Z0-9_]{0,99}$"

_WHOLE = Rule(
    cel=f"self.matches('{_PATH}')",
    message="give the whole URL, such as https://mimir.example.com/api/v1/push: no path is appended to it",
    holds=lambda url: re.search(_PATH, url) is not None,
)
_PROTOCOL = Rule(
    cel=f"!self.matches('{_OTLP}')",
    message="is the URL of an OTLP receiver; give that for remote write, such as https://mimir.example.com/api/v1/push",
    holds=lambda url: re.search(_OTLP, url) is None,
)
_LABELS = Rule(
    cel=f"self.all(key, key.matches('{_LABEL}') && !key.startsWith('__'))",
    message="names of labels have letters, digits and underscores, at most 100, and begin with a letter or one underscore",
    holds=lambda found: all(re.search(_LABEL, key) and not key.startswith("__") for key in found),
)


@ruled(
    secure("url", what="series"),
    Rule(
        cel="!has(self.username) || has(self.credentialsSecretRef)",
        message="the user's password belongs in a Secret; name it in credentialsSecretRef",
        holds=lambda c: c.username is None or c.credentials_secret_ref is not None,
        path="username",
    ),
)
@dataclass(frozen=True, kw_only=True)
class Config(BackendConfig):
    """A receiver of Prometheus' remote write, version 1. It gets the derived series of the namespace, and no traces."""

    url: str = prop(pattern=URL, max_length=2048, rules=(_WHOLE, _PROTOCOL))
    """The whole URL: Mimir and Grafana Cloud end in /api/v1/push or /api/prom/push, Prometheus and VictoriaMetrics in /api/v1/write, Thanos
    in /api/v1/receive."""
    insecure: bool = prop(False)
    """Allow http:// to a host outside the cluster. Default false."""
    username: str | None = prop(None, pattern=r"^[^\x00-\x1f:]{1,253}$")
    """User of Basic authentication, whose password is the Secret's key. Absent: the key is sent as "Authorization: Bearer <token>"."""
    credentials_secret_ref: SecretRef | None = prop(None)
    """A Secret whose key holds a password or a token."""
    headers: Mapping[str, str] = prop(factory=dict, max_properties=32)
    """Headers sent with every request, such as X-Scope-OrgID. Not for credentials: these belong in a Secret."""
    external_labels: Mapping[str, str] = prop(factory=dict, max_properties=32, rules=(_LABELS,))
    """Labels put on every series that does not have them, as Prometheus does."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's key is mounted."""
    settings: dict[str, object] = {"endpoint": config.url}
    if config.headers:
        settings["headers"] = dict(sorted(config.headers.items()))
    if config.external_labels:
        settings["external_labels"] = dict(sorted(config.external_labels.items()))
    ref = config.credentials_secret_ref
    proof = basic(ref, credentials, user=config.username) if ref and config.username else token(ref, credentials) if ref else None
    return Exporter(type="prometheus_remote_write", settings=settings, auth=proof)
