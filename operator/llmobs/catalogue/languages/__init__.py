"""The languages that can be instrumented, one module each."""

from __future__ import annotations

from functools import cache

from llmobs.catalogue.language import Language
from llmobs.kit.discovery import modules


@cache
def languages() -> dict[str, Language]:
    """Every language by its name."""
    found: list[Language] = [module.LANGUAGE for module in modules(__name__)]
    return {language.name: language for language in found}
