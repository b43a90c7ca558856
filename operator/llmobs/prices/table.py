"""The price table: canonical models with their rows, and the names that lead to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """Prices of one model in US dollars per million tokens; every figure is filled in."""

    model: str
    """The canonical name: the label ``model``."""
    input: float
    output: float
    cache_read: float
    cache_write: float
    reasoning: float


@dataclass(frozen=True)
class PriceTable:
    """Rows by lower-case name as a call may carry it, after the collector's own normalisation or exactly."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    """Name -> row. A name may be qualified as ``provider|name`` for a price of one provider; that row is tried first."""

    def canonical(self, name: str) -> str:
        """The label ``model`` that a call naming ``name`` gets; ``other`` when no row matches."""
        raise NotImplementedError
