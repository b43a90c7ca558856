"""How a frozen dataclass describes a custom resource: the markers that fields and classes carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Rule:
    """A rule across fields: CEL for the API server, ``holds`` for everybody else, both with one message.

    ``path`` is the field to blame, relative to the object that carries the rule.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool]
    path: str = ""


@dataclass(frozen=True)
class Marks:
    """What a field adds to its type: limits that become OpenAPI keywords and are checked again by the decoder."""

    pattern: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    max_properties: int | None = None
    keys: tuple[str, ...] = ()
    """For lists of objects: the fields that name an element (``x-kubernetes-list-map-keys``)."""
    rules: tuple[Rule, ...] = ()
    one_of: Mapping[str, type] | None = None
    """The value is exactly one of these types, written beside its siblings under the key that names it."""
    default_in_crd: bool = False
    """Let the API server fill in the default. Never for a field that a fleet default may set."""


def prop(default: Any = MISSING, *, factory: Any = MISSING, **marks: Any) -> Any:
    """A dataclass field with :class:`Marks`; without ``default`` and ``factory`` the field is required."""
    metadata = {"marks": Marks(**marks)}
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    if default is MISSING:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def ruled(*rules: Rule) -> Callable[[type[T]], type[T]]:
    """Class decorator: attach rules across the fields of a dataclass."""

    def attach(cls: type[T]) -> type[T]:
        cls.__rules__ = rules  # type: ignore[attr-defined]
        return cls

    return attach
