"""The contract of a backend: one module in ``backends/`` that turns its configuration into a collector exporter.

A module offers ``NAME`` (the key in the custom resource), ``Config`` (a frozen dataclass, a :class:`BackendConfig`),
``exporter(config, credentials)`` and ``EXAMPLE`` (a valid configuration as plain data, used by docs and tests). One that takes the
derived series, and no traces, says ``SERIES = True``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmobs.kit.schema import prop

DNS_NAME = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"


@dataclass(frozen=True, kw_only=True)
class BackendConfig:
    """What every backend's configuration is."""


@dataclass(frozen=True, kw_only=True)
class SecretRef:
    """A Secret whose keys are mounted into the collector as files; the operator itself never reads it."""

    name: str = prop(pattern=DNS_NAME)
    """Name of the Secret. For a destination it lives in the operator's namespace, for a backend of a namespace's own in that namespace."""
    key: str = prop("token", pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)
    """The key that holds the credential. Default token."""


@dataclass(frozen=True, kw_only=True)
class Extension:
    """A collector extension that an exporter authenticates with."""

    type: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """A collector exporter without its queue and retry settings, which are the same for all."""

    type: str
    settings: Mapping[str, Any]
    auth: Extension | None = None
    resource: Mapping[str, str] = field(default_factory=dict)
    """Resource attributes that this receiver needs and no other is to see."""
    largest: int = 0
    """Bytes of one request, before compression, beyond which this receiver refuses it; 0: it names no bound."""


def token(ref: SecretRef, credentials: str, *, header: str = "Authorization", scheme: str = "Bearer") -> Extension:
    """Sends the Secret's key in a header. The file is read again when it changes, so a credential is rotated without a restart."""
    other = {} if (header, scheme) == ("Authorization", "Bearer") else {"header": header, "scheme": scheme}
    return Extension(type="bearertokenauth", settings={"filename": f"{credentials}/{ref.key}", **other})


def basic(ref: SecretRef, credentials: str, *, user: str) -> Extension:
    """Sends Basic authentication with the Secret's key as password; the file is read again when it changes."""
    return Extension(type="basicauth", settings={"client_auth": {"username": user, "password_file": f"{credentials}/{ref.key}"}})


def otlp(
    endpoint: str, *, headers: Mapping[str, str] | None = None, auth: Extension | None = None, resource: Mapping[str, str] | None = None
) -> Exporter:
    """OTLP over HTTP to a base URL, to which the collector appends ``/v1/traces``."""
    settings: dict[str, object] = {"endpoint": endpoint}
    if headers:
        settings["headers"] = dict(sorted(headers.items()))
    return Exporter(type="otlp_http", settings=settings, auth=auth, resource=resource or {})
