"""Add a file = register it: the modules and data files of a package, in the order of their names."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.resources import files
from types import ModuleType


@cache
def modules(package: str) -> tuple[ModuleType, ...]:
    """Every public module of ``package``, imported, sorted by name."""
    found = pkgutil.iter_modules(importlib.import_module(package).__path__)
    names = sorted(item.name for item in found if not item.name.startswith("_"))
    return tuple(importlib.import_module(f"{package}.{name}") for name in names)


@cache
def texts(package: str, suffix: str) -> tuple[tuple[str, str], ...]:
    """(stem, content) of every data file of ``package`` that ends in ``suffix``, sorted by name."""
    found = sorted((item for item in files(package).iterdir() if item.name.endswith(suffix)), key=lambda item: item.name)
    return tuple((item.name.removesuffix(suffix), item.read_text(encoding="utf-8")) for item in found)
