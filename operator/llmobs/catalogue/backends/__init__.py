"""The backends that traces can be sent to, one module each."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from types import ModuleType

from llmobs.catalogue.backend import BackendConfig
from llmobs.kit.discovery import modules

CREDENTIALS = "credentials_secret_ref"
"""The field that every backend with credentials has."""


@cache
def backends() -> dict[str, ModuleType]:
    """Every backend module by the name it has in a custom resource."""
    return {module.NAME: module for module in modules(__name__)}


@cache
def configs() -> dict[str, type[BackendConfig]]:
    """Every backend's configuration type by the name it has in a custom resource."""
    return {name: module.Config for name, module in backends().items()}


@cache
def open_configs() -> dict[str, type[BackendConfig]]:
    """The configuration types that make sense without a Secret, which is all that a namespace can give the shared gateway."""
    return {name: config for name, config in configs().items() if not _needs_secret(config)}


def _needs_secret(config: type[BackendConfig]) -> bool:
    return any(item.name == CREDENTIALS and item.default is MISSING for item in fields(config))


def backend_of(config: BackendConfig) -> ModuleType:
    """The module that a configuration belongs to."""
    return next(module for module in backends().values() if isinstance(config, module.Config))
