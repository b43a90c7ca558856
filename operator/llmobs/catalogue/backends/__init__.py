"""The backends that traces can be sent to, one module each."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from llmobs.catalogue.backend import BackendConfig
from llmobs.kit.discovery import modules


@cache
def backends() -> dict[str, ModuleType]:
    """Every backend module by the name it has in a custom resource."""
    return {module.NAME: module for module in modules(__name__)}


@cache
def configs() -> dict[str, type[BackendConfig]]:
    """Every backend's configuration type by the name it has in a custom resource."""
    return {name: module.Config for name, module in backends().items()}


def backend_of(config: BackendConfig) -> ModuleType:
    """The module that a configuration belongs to."""
    return next(module for module in backends().values() if isinstance(config, module.Config))
