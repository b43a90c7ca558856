"""What a person deployed, whose pods come and go."""

from __future__ import annotations

from typing import NamedTuple


class Workload(NamedTuple):
    """Kind and name, in one namespace; orders by both."""

    kind: str
    name: str

    def __str__(self) -> str:
        """As a person writes it."""
        return f"{self.kind}/{self.name}"
