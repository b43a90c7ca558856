"""From plain data to frozen dataclasses: types, limits and cross-field rules checked, every error with its path."""

from __future__ import annotations

import enum
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, TypeVar

from llmobs.kit.errors import Invalid
from llmobs.kit.schema import Marks, Rule

T = TypeVar("T")


def camel(name: str) -> str:
    """The wire name of a Python field: ``limit_usd`` -> ``limitUSD``, ``warn_at`` -> ``warnAt``."""
    head, *tail = name.rstrip("_").split("_")
    return head + "".join(part.upper() if part in {"usd", "url", "tls"} else part.capitalize() for part in tail)


@cache
def hints(cls: type) -> dict[str, Any]:
    """The resolved type of each field of a dataclass."""
    return typing.get_type_hints(cls)


def marks_of(item: Field[Any]) -> Marks:
    """The limits a field carries; none when it was made without :func:`prop`."""
    found = item.metadata.get("marks")
    return found if isinstance(found, Marks) else Marks()


def required(item: Field[Any]) -> bool:
    """Whether a field has neither a default nor a factory."""
    return item.default is MISSING and item.default_factory is MISSING


def optional(kind: Any) -> Any:
    """``X`` for ``X | None``; the type itself otherwise."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return next(arm for arm in typing.get_args(kind) if arm is not type(None))
    return kind


def decode(cls: type[T], data: Any, path: str = "") -> T:
    """``data`` as an instance of the dataclass ``cls``.

    Raises :class:`Invalid` at the first field that is unknown, missing, of the wrong type or outside its limits.
    """
    if not isinstance(data, Mapping):
        raise Invalid(path, f"must be an object, not {_called(data)}")
    known = _wire_names(cls)
    for key in data:
        if key not in known:
            raise Invalid(_join(path, str(key)), _unknown(str(key), known))
    values = {item.name: value for item in fields(cls) if (value := _field(cls, item, data, path)) is not MISSING}  # type: ignore[arg-type]
    made = cls(**values)
    for rule in getattr(cls, "__rules__", ()):
        _check(rule, made, path)
    return made


def _wire_names(cls: type) -> list[str]:
    names: list[str] = []
    for item in fields(cls):
        choice = marks_of(item).one_of
        names += list(choice) if choice is not None else [camel(item.name)]
    return names


def _field(cls: type, item: Field[Any], data: Mapping[str, Any], path: str) -> Any:
    marks = marks_of(item)
    if marks.one_of is not None:
        return _one_of(marks.one_of, data, path, needed=required(item))
    key = camel(item.name)
    if data.get(key) is None:
        if required(item):
            raise Invalid(_join(path, key), "is required")
        return MISSING
    return _value(optional(hints(cls)[item.name]), data[key], _join(path, key), marks)


def _one_of(choice: Mapping[str, type], data: Mapping[str, Any], path: str, *, needed: bool) -> Any:
    present = [key for key in choice if data.get(key) is not None]
    names = ", ".join(sorted(choice))
    if len(present) > 1:
        raise Invalid(path, f"set only one of {names}, not {' and '.join(present)}")
    if not present:
        if needed:
            raise Invalid(path, f"set one of {names}")
        return MISSING
    return decode(choice[present[0]], data[present[0]], _join(path, present[0]))


def _value(kind: Any, value: Any, path: str, marks: Marks) -> Any:
    made = _typed(kind, value, path, marks)
    _limits(made, path, marks)
    for rule in marks.rules:
        _check(rule, made, path)
    return made


def _typed(kind: Any, value: Any, path: str, marks: Marks) -> Any:
    origin, arms = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _items(arms[0], value, path, marks)
    if origin in (dict, Mapping) or origin is typing.get_origin(Mapping[str, str]):
        return _entries(arms[1], value, path)
    if is_dataclass(kind):
        return decode(typing.cast("type", kind), value, path)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _word(kind, value, path)
    return _scalar(kind, value, path)


def _items(kind: Any, value: Any, path: str, marks: Marks) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Invalid(path, f"must be a list, not {_called(value)}")
    made = tuple(_typed(kind, item, f"{path}[{index}]", Marks()) for index, item in enumerate(value))
    if marks.pattern is not None:
        for index, item in enumerate(made):
            _limits(item, f"{path}[{index}]", Marks(pattern=marks.pattern))
    if marks.minimum is not None or marks.maximum is not None:
        for index, item in enumerate(made):
            _range(item, f"{path}[{index}]", marks)
    _unique(made, path, marks.keys)
    return made


def _unique(made: tuple[Any, ...], path: str, keys: tuple[str, ...]) -> None:
    seen: dict[tuple[Any, ...], int] = {}
    for index, item in enumerate(made if keys else ()):
        name = tuple(getattr(item, key) for key in keys)
        if name in seen:
            said = ", ".join(f"{camel(key)} {value!r}" for key, value in zip(keys, name, strict=True))
            raise Invalid(f"{path}[{index}]", f"{said} is already used by {path}[{seen[name]}]; each needs its own")
        seen[name] = index


def _entries(kind: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(path, f"must be an object, not {_called(value)}")
    return {str(key): _typed(kind, item, f"{path}[{str(key)!r}]", Marks()) for key, item in value.items()}


def _word(kind: type[enum.Enum], value: Any, path: str) -> enum.Enum:
    words = [str(member.value) for member in kind]
    if isinstance(value, str) and value in words:
        return kind(value)
    near = get_close_matches(str(value), words, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise Invalid(path, f"must be one of {', '.join(words)}, not {_called(value)}{hint}")


_SCALARS: dict[type, tuple[tuple[type, ...], str]] = {
    str: ((str,), "a string"),
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
}


def _scalar(kind: Any, value: Any, path: str) -> Any:
    if kind is Any or kind not in _SCALARS:
        return value
    accepted, said = _SCALARS[kind]
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        raise Invalid(path, f"must be {said}, not {_called(value)}")
    return float(typing.cast("float", value)) if kind is float else value


def _limits(value: Any, path: str, marks: Marks) -> None:
    if isinstance(value, str):
        _text(value, path, marks)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _range(value, path, marks)
    elif isinstance(value, tuple):
        _size(len(value), path, marks.min_items, marks.max_items, "items")
    elif isinstance(value, dict):
        _size(len(value), path, None, marks.max_properties, "entries")


def _text(value: str, path: str, marks: Marks) -> None:
    _size(len(value), path, marks.min_length, marks.max_length, "characters")
    if marks.pattern is not None and re.search(marks.pattern, value) is None:
        raise Invalid(path, f"{value!r} does not match {marks.pattern}")


def _range(value: float, path: str, marks: Marks) -> None:
    low, high = marks.minimum, marks.maximum
    if not math.isfinite(value):
        raise Invalid(path, "must be a finite number")
    if low is not None and (value < low or (marks.exclusive_minimum and value == low)):
        raise Invalid(path, f"must be {'more than' if marks.exclusive_minimum else 'at least'} {low:g}, not {value:g}")
    if high is not None and value > high:
        raise Invalid(path, f"must be at most {high:g}, not {value:g}")


def _size(count: int, path: str, low: int | None, high: int | None, unit: str) -> None:
    if low is not None and count < low:
        raise Invalid(path, f"needs at least {low} {unit}, has {count}")
    if high is not None and count > high:
        raise Invalid(path, f"takes at most {high} {unit}, has {count}")


def _check(rule: Rule, made: Any, path: str) -> None:
    holds: Callable[[Any], bool] = rule.holds
    if not holds(made):
        raise Invalid(_join(path, rule.path) if rule.path else path, rule.message)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _unknown(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
    return f"unknown field; {hint}"


def _called(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else repr(value)
