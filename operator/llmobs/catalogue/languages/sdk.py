"""Applications in any language that bring their own OpenTelemetry SDK: variables only."""

from __future__ import annotations

from llmobs.catalogue.language import Language

LANGUAGE = Language(name="sdk", own_sdk=True)
