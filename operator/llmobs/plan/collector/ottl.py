"""Text of the OpenTelemetry Transformation Language: the one place where values are quoted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal


class Place(int):
    """A place in a list: the only number that is written as a whole one."""

    __slots__ = ()


class Expanded(str):
    """Text that the collector expands itself."""

    __slots__ = ()


Value = str | float | Place | Mapping[str, "Value"] | Sequence["Value"]


def literal(value: Value) -> str:
    """A string, number, map or list as OTTL writes it. Numbers keep a decimal point, because OTTL divides whole numbers as such."""
    if isinstance(value, str):
        # JSON's escapes are Go's, as long as characters beyond ASCII are left alone
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{literal(key)}:{literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ",".join(map(literal, value)) + "]"
    if isinstance(value, Place):
        return str(int(value))
    digits = format(Decimal(repr(float(value))), "f")  # never an exponent: OTTL cannot read 3e-06
    return digits if "." in digits else f"{digits}.0"


def lookup(table: Mapping[str, Value] | Sequence[Value], key: str) -> str:
    """The expression that finds ``key`` (an expression) in ``table``; where it is missing, the statement is skipped with an error.

    A literal takes no index, the result of a function does. A map is searched from its beginning, a list is not.
    """
    return f"Coalesce([{literal(table)}])[{key}]"


def at(path: str, key: str) -> str:
    """The element ``key`` of the map at ``path``."""
    return f"{path}[{literal(key)}]"


def span(name: str) -> str:
    """A span's attribute."""
    return at("span.attributes", name)


def resource(name: str) -> str:
    """A resource's attribute."""
    return at("resource.attributes", name)


def datapoint(name: str) -> str:
    """A data point's attribute."""
    return at("datapoint.attributes", name)


def scope_is(names: Iterable[str]) -> str:
    """The condition that a span comes from one of these instrumentation scopes."""
    return f"({' or '.join(f'instrumentation_scope.name == {literal(name)}' for name in sorted(names))})"


def assign(target: str, value: str, *conditions: str) -> str:
    """Set ``target`` to the expression ``value`` where all ``conditions`` hold."""
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"set({target}, {value}){where}"


def replace(target: str, pattern: str, replacement: str, *conditions: str) -> str:
    """Replace what ``pattern`` matches where all ``conditions`` hold; a backslash and a digit in ``replacement`` stand for a group."""
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f"replace_pattern({target}, {literal(pattern)}, {literal(replacement.replace(chr(92), '$'))}){where}"


def merge(target: str, table: Mapping[str, Value], *conditions: str) -> str:
    """Give each key of the map ``target`` its value of ``table``, where that has one and all ``conditions`` hold."""
    where = f" where {' and '.join(conditions)}" if conditions else ""
    return f'merge_maps({target}, {literal(table)}, "update"){where}'


def upsert(target: str, table: Mapping[str, Value]) -> str:
    """Set each key of ``table`` in the map ``target``."""
    return f'merge_maps({target}, {literal(table)}, "upsert")'


def drop(target: str, pattern: str) -> str:
    """Delete the keys of a map that ``pattern`` matches."""
    return f"delete_matching_keys({target}, {literal(pattern)})"


def keep(target: str, keys: Iterable[str]) -> str:
    """Delete all keys of a map but these."""
    return f"keep_keys({target}, [{', '.join(literal(key) for key in keys)}])"


def matches(value: str, pattern: str) -> str:
    """The condition that the expression ``value`` matches ``pattern``."""
    return f"IsMatch({value}, {literal(pattern)})"


def group(context: str, statements: Iterable[str], *, conditions: Iterable[str] = ()) -> dict[str, object]:
    """Statements of one context; with ``conditions``, only where any of them holds."""
    found: dict[str, object] = {"context": context, "statements": list(statements)}
    either = list(conditions)
    return {**found, "conditions": either} if either else found


def of_points(statement: str) -> str:
    """A statement about spans, said of data points: attributes and cache are called alike."""
    return statement.replace("span.attributes[", "datapoint.attributes[").replace("span.cache[", "datapoint.cache[")


def transform(*groups: Mapping[str, object], signal: str = "trace") -> dict[str, object]:
    """A transform processor. A failing statement is skipped in silence: what it would log is a tenant's data."""
    return {"error_mode": "silent", f"{signal}_statements": [dict(item) for item in groups]}
