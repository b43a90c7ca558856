"""Any receiver of OTLP over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from llmobs.catalogue.backend import BackendConfig, Exporter, Extension, SecretRef
from llmobs.kit.schema import Rule, prop, ruled

NAME = "otlp"
EXAMPLE = {"endpoint": "https://otlp.example.com", "headers": {"X-Scope-OrgID": "llm"}, "credentialsSecretRef": {"name": "otlp-token"}}


def _inside(endpoint: str) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return host == "localhost" or "." not in host or host.endswith((".svc", ".cluster.local", ".localhost"))


@ruled(
    Rule(
        cel="(has(self.insecure) && self.insecure) || self.endpoint.startsWith('https://') || "
        "self.endpoint.matches('^http://(localhost|[^./:]+|[^/:]+[.](svc|cluster[.]local|localhost))(:[0-9]+)?(/.*)?$')",
        message="http:// to a host outside the cluster sends traces in clear text; use https:// or say insecure: true",
        holds=lambda c: c.insecure or c.endpoint.startswith("https://") or _inside(c.endpoint),
        path="endpoint",
    )
)
@dataclass(frozen=True, kw_only=True)
class Config(BackendConfig):
    """An OTLP/HTTP receiver."""

    endpoint: str = prop(
        pattern=r"^https?://[^/\s$]+[^\s$]*$",
        max_length=2048,
        rules=(
            Rule(
                cel="!self.matches('/v1/(traces|metrics|logs)/?$')",
                message="give the base URL; the collector appends /v1/traces itself",
                holds=lambda url: not url.rstrip("/").endswith(("/v1/traces", "/v1/metrics", "/v1/logs")),
            ),
        ),
    )
    """Base URL of the receiver, without /v1/traces."""
    insecure: bool = prop(False)
    """Allow http:// to a host outside the cluster. Default false."""
    headers: Mapping[str, str] = prop(factory=dict, max_properties=32)
    """Headers sent with every request. Not for credentials: these belong in a Secret."""
    credentials_secret_ref: SecretRef | None = prop(None)
    """A Secret whose key holds a token, sent as "Authorization: Bearer <token>". Only for destinations of the platform."""


def exporter(config: Config, credentials: str) -> Exporter:
    """The exporter; ``credentials`` is the folder where the Secret's keys are mounted."""
    settings: dict[str, object] = {"endpoint": config.endpoint}
    if config.headers:
        settings["headers"] = dict(sorted(config.headers.items()))
    if config.credentials_secret_ref is None:
        return Exporter(type="otlp_http", settings=settings)
    token = Extension(type="bearertokenauth", settings={"filename": f"{credentials}/{config.credentials_secret_ref.key}"})
    return Exporter(type="otlp_http", settings=settings, auth=token)
