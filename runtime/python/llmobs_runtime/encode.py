"""Spans as an OTLP/HTTP JSON request.

Written for speed: OpenTelemetry's own encoder builds an object for every value, which costs as much processor time for
each span as the whole instrumentation of the call, taken from the application's threads.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status

Json = dict[str, Any]

# Span flags above those of the trace: whether it is known, and whether it is so, that the parent is in another process.
_REMOTE_KNOWN, _REMOTE = 0x100, 0x200


def encode(spans: Iterable[ReadableSpan]) -> bytes:
    """Return the body of an export request, its spans grouped by resource and by scope."""
    # By identity: a resource's hash is that of all its attributes as JSON, made anew each time.
    resources: dict[int, tuple[Resource, dict[InstrumentationScope | None, list[Json]]]] = {}
    for span in spans:
        _, scopes = resources.setdefault(id(span.resource), (span.resource, {}))
        scopes.setdefault(span.instrumentation_scope, []).append(_span(span))
    request = {"resourceSpans": [_resource(resource, scopes) for resource, scopes in resources.values()]}
    return json.dumps(request, separators=(",", ":")).encode()


def _resource(resource: Resource, scopes: Mapping[InstrumentationScope | None, list[Json]]) -> Json:
    return {
        "resource": {"attributes": _attributes(resource.attributes)},
        "scopeSpans": [_scope(scope) | {"spans": spans} for scope, spans in scopes.items()],
        "schemaUrl": resource.schema_url or "",
    }


def _scope(scope: InstrumentationScope | None) -> Json:
    if scope is None:
        return {"scope": {}}
    named = {"name": scope.name, "version": scope.version or "", "attributes": _attributes(getattr(scope, "attributes", None))}
    return {"scope": named, "schemaUrl": scope.schema_url or ""}


def _span(span: ReadableSpan) -> Json:
    encoded: Json = {
        **_context(span.get_span_context()),
        "flags": _flags(span.parent),
        "name": span.name,
        # The conventions count from 1 on the wire, and from 0 in the API.
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time or 0),
        "endTimeUnixNano": str(span.end_time or 0),
        "attributes": _attributes(span.attributes),
        "events": [_event(event) for event in span.events],
        "links": [_link(link) for link in span.links],
        "status": _status(span.status),
        "droppedAttributesCount": _dropped(span, "dropped_attributes"),
        "droppedEventsCount": _dropped(span, "dropped_events"),
        "droppedLinksCount": _dropped(span, "dropped_links"),
    }
    if span.parent is not None:
        encoded["parentSpanId"] = f"{span.parent.span_id:016x}"
    return encoded


def _dropped(span: ReadableSpan, which: str) -> int:
    # Older SDKs cannot say it of a copy.
    return getattr(span, which, 0)


def _context(context: SpanContext | None) -> Json:
    if context is None:
        return {}
    return {
        "traceId": f"{context.trace_id:032x}",
        "spanId": f"{context.span_id:016x}",
        "traceState": context.trace_state.to_header(),
    }


def _flags(remote: SpanContext | None) -> int:
    return 1 | _REMOTE_KNOWN | (_REMOTE if remote is not None and remote.is_remote else 0)


def _status(status: Status) -> Json:
    code = {"code": status.status_code.value}
    return code | {"message": status.description} if status.description else code


def _event(event: Event) -> Json:
    return {"name": event.name, "timeUnixNano": str(event.timestamp), "attributes": _attributes(event.attributes)}


def _link(link: Link) -> Json:
    return {**_context(link.context), "flags": _flags(link.context), "attributes": _attributes(link.attributes)}


def _attributes(attributes: Mapping[str, Any] | None) -> list[Json]:
    return [{"key": key, "value": _value(value)} for key, value in (attributes or {}).items()]


def _value(value: object) -> Json:
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        # JSON has no word for the others; Protocol Buffers' JSON writes them as text.
        return {"doubleValue": value if math.isfinite(value) else _WORDS.get(value, "NaN")}
    return _compound(value)


_WORDS = {math.inf: "Infinity", -math.inf: "-Infinity"}


def _compound(value: object) -> Json:
    if value is None:
        return {}
    if isinstance(value, bytes):
        return {"bytesValue": b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": _attributes({str(key): item for key, item in value.items()})}}
    if isinstance(value, Sequence):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value)}
