"""Kubernetes' LabelSelector, with its full semantics."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.kit.schema import Rule, prop, ruled


class Operator(enum.Enum):
    """How an expression relates a label to its values."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@ruled(
    Rule(
        cel="(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        message="In and NotIn need values; Exists and DoesNotExist take none",
        holds=lambda e: bool(e.values) == (e.operator in (Operator.IN, Operator.NOT_IN)),
        path="values",
    )
)
@dataclass(frozen=True, kw_only=True)
class Expression:
    """One requirement on a label."""

    key: str = prop(min_length=1, max_length=317)
    """The label's key."""
    operator: Operator = prop()
    """How the label relates to the values."""
    values: tuple[str, ...] = prop((), max_items=64)
    """The values for In and NotIn."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` meet this requirement; NotIn also holds where the label is absent."""
        present, value = self.key in labels, labels.get(self.key)
        if self.operator is Operator.EXISTS:
            return present
        if self.operator is Operator.DOES_NOT_EXIST:
            return not present
        return (present and value in self.values) == (self.operator is Operator.IN)


@dataclass(frozen=True, kw_only=True)
class LabelSelector:
    """Labels that must be there; empty selects everything."""

    match_labels: Mapping[str, str] = prop(factory=dict, max_properties=64)
    """Labels with exactly these values."""
    match_expressions: tuple[Expression, ...] = prop((), max_items=64)
    """Further requirements, all of which must hold."""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether every requirement holds for ``labels``."""
        exact = all(labels.get(key) == value for key, value in self.match_labels.items())
        return exact and all(item.matches(labels) for item in self.match_expressions)

    @property
    def requirements(self) -> int:
        """How specific the selector is: its labels and expressions, counted."""
        return len(self.match_labels) + len(self.match_expressions)
