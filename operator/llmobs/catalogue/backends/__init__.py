"""The backends that traces or series can be sent to, one module each."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from types import ModuleType

from llmobs.catalogue.backend import BackendConfig, SecretRef
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
def secretive() -> tuple[str, ...]:
    """The names of the backends that can have a credential."""
    return tuple(name for name, config in configs().items() if any(item.name == CREDENTIALS for item in fields(config)))


@cache
def serial() -> tuple[str, ...]:
    """The names of the backends that take the derived series, and no traces."""
    return tuple(name for name, module in backends().items() if takes_series(module))


def takes_series(module: ModuleType) -> bool:
    """Whether a backend takes the derived series, and no traces."""
    return bool(getattr(module, "SERIES", False))


def secret_of(config: BackendConfig) -> SecretRef | None:
    """The Secret that holds a receiver's credential."""
    found = getattr(config, CREDENTIALS, None)
    return found if isinstance(found, SecretRef) else None


def backend_of(config: BackendConfig) -> ModuleType:
    """The module that a configuration belongs to."""
    return next(module for module in backends().values() if isinstance(config, module.Config))
