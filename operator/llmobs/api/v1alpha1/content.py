"""What happens to prompts and answers."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.kit.schema import prop


class Capture(enum.Enum):
    """How much of prompts and answers may leave the pod, least first."""

    NONE = "None"
    FULL = "Full"

    @property
    def rank(self) -> int:
        """Position in the order of permission; a ceiling allows every rank up to its own."""
        return list(Capture).index(self)


@dataclass(frozen=True, kw_only=True)
class Content:
    """What happens to prompts and answers."""

    capture: Capture = prop(Capture.NONE)
    """None: prompts and answers never leave the pod. Full: they are kept on the spans. The platform's ceiling applies. Default None."""
