"""Spans as instrumentations send them: one maker per generation of conventions."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

START = 1_790_000_000_000_000_000
_ids = itertools.count(1)


def export(resource: Mapping[str, Any], spans: Iterable[Mapping[str, Any]], *, scope: str = "test", **scoped: Any) -> dict[str, Any]:
    """An OTLP/JSON export request of the instrumentation ``scope``; further arguments are attributes of the scope."""
    made = {"scope": {"name": scope, "attributes": pairs(scoped)}, "spans": list(spans)}
    return {"resourceSpans": [{"resource": {"attributes": pairs(resource)}, "scopeSpans": [made]}]}


def span(attributes: Mapping[str, Any], *, name: str = "chat", seconds: float = 0.25, error: str = "", **more: Any) -> dict[str, Any]:
    """A span with these attributes; ``error`` makes it fail with that status message."""
    number = next(_ids)
    return {
        "traceId": f"{number:032x}",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": 3,
        "startTimeUnixNano": str(START),
        "endTimeUnixNano": str(START + int(seconds * 1e9)),
        "attributes": pairs(attributes),
        "status": {"code": 2, "message": error} if error else {},
        **more,
    }


def current(model: str, given: Any = None, made: Any = None, *, provider: str = "openai", **more: Any) -> dict[str, Any]:
    """Attributes of the newest official instrumentations; further ones with ``__`` for dots."""
    usage = {"gen_ai.usage.input_tokens": given, "gen_ai.usage.output_tokens": made}
    found = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.request.model": model, **usage}
    extra = {key.replace("__", "."): value for key, value in more.items()}
    return {key: value for key, value in {**found, **extra}.items() if value is not None}


def pairs(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Attributes as OTLP/JSON writes them."""
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": pairs(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": value}
