"""Where a namespace's telemetry is processed."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.kit.schema import prop


class CollectorMode(enum.Enum):
    """Where the namespace's telemetry is processed."""

    SHARED = "Shared"


@dataclass(frozen=True, kw_only=True)
class Collector:
    """Where telemetry is processed."""

    mode: CollectorMode = prop(CollectorMode.SHARED)
    """Shared: the platform's gateway. Default Shared."""
