"""Jaeger 2, which takes OTLP itself."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, otlp
from llmobs.catalogue.endpoint import Addressed

NAME = "jaeger"
EXAMPLE = {"endpoint": "http://jaeger-collector.tracing.svc:4318"}


@dataclass(frozen=True, kw_only=True)
class Config(Addressed):
    """Jaeger 2 with its OTLP receiver."""


def exporter(config: Config, credentials: str) -> Exporter:  # noqa: ARG001 - it asks for none
    """The exporter; there are no credentials."""
    return otlp(config.endpoint)
