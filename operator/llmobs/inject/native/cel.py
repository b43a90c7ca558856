"""Small expressions in CEL, the language of admission policies: literals, and where things stand in an object.

Language and Kubernetes' libraries: https://kubernetes.io/docs/reference/using-api/cel/
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

LABELS = "object.metadata.?labels.orValue({})"
ANNOTATIONS = "object.metadata.?annotations.orValue({})"
CONTAINERS = "object.spec.containers"
INIT_CONTAINERS = "object.spec.?initContainers.orValue([])"
VOLUMES = "object.spec.?volumes.orValue([])"
GIVEN = "given"
"""Begins the words that stand for what differs from one LLMObservability to another."""


def text(value: str) -> str:
    """A string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def literal(value: Any) -> str:
    """Plain data; values of maps and lists are ``dyn``, as CEL lets only equal types stand beside one another."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{text(key)}: dyn({literal(item)})" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(f"dyn({literal(item)})" for item in value) + "]"
    return text(value) if isinstance(value, str) else json.dumps(value)


def texts(values: Iterable[str]) -> str:
    """A list of strings."""
    return "[" + ", ".join(text(value) for value in values) + "]"


def every(*expressions: str) -> str:
    """Whether all hold."""
    return " && ".join(f"({item})" for item in expressions)


def some(*expressions: str) -> str:
    """Whether one holds."""
    return " || ".join(f"({item})" for item in expressions)
