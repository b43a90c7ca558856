"""From frozen dataclasses to CustomResourceDefinitions: structural schemas with descriptions, limits and CEL."""

from __future__ import annotations

import ast
import enum
import inspect
import textwrap
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from llmobs.kit.decode import camel, hints, marks_of, optional, required
from llmobs.kit.schema import Marks, Rule

Schema = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of ``kubectl get``; ``path`` is a JSONPath such as ``.status.state``."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of custom resource."""

    kind: str
    plural: str
    short: tuple[str, ...]
    namespaced: bool
    spec: type
    status: type
    columns: tuple[Column, ...]


def definition(kind: Kind, *, group: str, version: str) -> Schema:
    """The CustomResourceDefinition of ``kind``, as plain data."""
    names = {"kind": kind.kind, "listKind": f"{kind.kind}List", "plural": kind.plural, "singular": kind.kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{group}"},
        "spec": {
            "group": group,
            "names": {**names, "shortNames": list(kind.short), "categories": ["llmobs-all"]},
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "versions": [_version(kind, version)],
        },
    }


def _version(kind: Kind, version: str) -> Schema:
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": schema(kind.spec),
        "status": schema(kind.status),
    }
    described = _first_paragraph(inspect.getdoc(inspect.getmodule(kind.spec)) or "")
    return {
        "name": version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(column) for column in kind.columns],
        "schema": {"openAPIV3Schema": {"type": "object", "description": described, "properties": properties}},
    }


def _column(column: Column) -> Schema:
    shown = {"name": column.name, "type": column.type, "jsonPath": column.path}
    return {**shown, "priority": column.priority} if column.priority else shown


def schema(cls: type) -> Schema:
    """The OpenAPI v3 schema of a dataclass."""
    properties: Schema = {}
    needed: list[str] = []
    validations = [_validation(rule) for rule in getattr(cls, "__rules__", ())]
    for item in fields(cls):
        choice = marks_of(item).one_of
        if choice is not None:
            properties.update({name: schema(arm) for name, arm in choice.items()})
            validations += _choice(choice, needed=required(item))
            continue
        properties[camel(item.name)] = _property(cls, item)
        if required(item):
            needed.append(camel(item.name))
    made: Schema = {"type": "object", "description": _first_paragraph(inspect.getdoc(cls) or ""), "properties": properties}
    if needed:
        made["required"] = needed
    if validations:
        made["x-kubernetes-validations"] = validations
    return made


def _choice(choice: Mapping[str, type], *, needed: bool) -> list[Schema]:
    names = sorted(choice)
    if len(names) == 1:
        return [{"rule": f"has(self.{names[0]})", "message": f"set {names[0]}"}] if needed else []
    present = ", ".join(f"has(self.{name})" for name in names)
    test = f"[{present}].exists_one(x, x)" if needed else f"[{present}].filter(x, x).size() <= 1"
    return [{"rule": test, "message": f"set {'exactly' if needed else 'at most'} one of {', '.join(names)}"}]


def _property(cls: type, item: Field[Any]) -> Schema:
    marks = marks_of(item)
    made = _typed(optional(hints(cls)[item.name]), marks)
    description = descriptions(cls).get(item.name)
    made = {"description": description, **{k: v for k, v in made.items() if k != "description"}} if description else made
    if marks.rules:
        made["x-kubernetes-validations"] = [_validation(rule) for rule in marks.rules]
    if marks.default_in_crd and item.default is not MISSING:
        made["default"] = plain(item.default)
    return made


def plain(value: Any) -> Any:
    """A default as JSON has it."""
    if isinstance(value, enum.Enum):
        return value.value
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def _validation(rule: Rule) -> Schema:
    made = {"rule": rule.cel, "message": rule.message}
    return {**made, "fieldPath": f".{rule.path}"} if rule.path else made


def _typed(kind: Any, marks: Marks) -> Schema:
    origin, arms = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return _array(arms[0], marks)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        limit = {"maxProperties": marks.max_properties} if marks.max_properties is not None else {}
        return {"type": "object", "additionalProperties": _typed(arms[1], Marks()), **limit}
    if is_dataclass(kind):
        return schema(typing.cast("type", kind))
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return {"type": "string", "enum": [member.value for member in kind]}
    return {**_scalar(kind), **_limits(marks)}


def _array(kind: Any, marks: Marks) -> Schema:
    items = _typed(
        kind, Marks(pattern=marks.pattern, minimum=marks.minimum, maximum=marks.maximum, exclusive_minimum=marks.exclusive_minimum)
    )
    made: Schema = {"type": "array", "items": items}
    if marks.min_items is not None:
        made["minItems"] = marks.min_items
    if marks.max_items is not None:
        made["maxItems"] = marks.max_items
    if marks.keys:
        made["x-kubernetes-list-type"] = "map"
        made["x-kubernetes-list-map-keys"] = [camel(key) for key in marks.keys]
    return made


def _scalar(kind: Any) -> Schema:
    return {"type": {str: "string", bool: "boolean", int: "integer", float: "number"}[kind]}


def _limits(marks: Marks) -> Schema:
    found = {
        "pattern": marks.pattern,
        "minLength": marks.min_length,
        "maxLength": marks.max_length,
        "minimum": marks.minimum,
        "maximum": marks.maximum,
        "exclusiveMinimum": True if marks.exclusive_minimum else None,
    }
    return {key: value for key, value in found.items() if value is not None}


@cache
def descriptions(cls: type) -> dict[str, str]:
    """The attribute docstrings of a dataclass, by field name; inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        if is_dataclass(base):
            found.update(_written(base))
    return found


def _written(cls: type) -> dict[str, str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    body = next(node for node in tree.body if isinstance(node, ast.ClassDef)).body
    found: dict[str, str] = {}
    for node, after in pairwise(body):
        named = isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[typing.cast("ast.Name", typing.cast("ast.AnnAssign", node).target).id] = _flat(str(after.value.value))
    return found


def _first_paragraph(text: str) -> str:
    return _flat(text.split("\n\n", maxsplit=1)[0])


def _flat(text: str) -> str:
    return " ".join(text.split())
