"""The contract of a backend: one module in ``backends/`` that turns its configuration into a collector exporter.

A module offers ``NAME`` (the key in the custom resource), ``Config`` (a frozen dataclass, a :class:`BackendConfig`),
``exporter(config, credentials)`` and ``EXAMPLE`` (a valid configuration as plain data, used by docs and tests).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """Name of the Secret. For a destination it lives in the operator's namespace."""
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
