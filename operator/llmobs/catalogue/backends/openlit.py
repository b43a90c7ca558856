"""OpenLIT, which its own collector receives for."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.catalogue.backend import Exporter, otlp
from llmobs.catalogue.endpoint import Addressed

NAME = "openlit"
EXAMPLE = {"endpoint": "http://openlit.openlit.svc:4318"}


@dataclass(frozen=True, kw_only=True)
class Config(Addressed):
    """An OpenLIT installation."""


def exporter(config: Config, credentials: str) -> Exporter:  # noqa: ARG001 - it asks for none
    """The exporter; there are no credentials."""
    return otlp(config.endpoint)
