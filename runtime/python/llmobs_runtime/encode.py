"""Spans as an OTLP/HTTP JSON request.

Written for speed, as text: OpenTelemetry's own encoder builds an object for every value, which costs as much processor time
for each span as the whole instrumentation of the call, taken from the application's threads. What has its default is left out.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _text
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status

from llmobs_runtime.recorder import Finished

# Span flags above those of the trace: whether it is known, and whether it is so, that the parent is in another process.
_REMOTE_KNOWN, _REMOTE = 0x100, 0x200


def encode(spans: Iterable[Finished]) -> bytes:
    """Return the body of an export request, its spans grouped by resource and by scope."""
    # By identity: a resource's hash is that of all its attributes as JSON, made anew each time.
    resources: dict[int, tuple[Resource, dict[int, tuple[InstrumentationScope | None, list[str]]]]] = {}
    for span in spans:
        _, scopes = resources.setdefault(id(span.resource), (span.resource, {}))
        scope = span.instrumentation_scope
        scopes.setdefault(id(scope), (scope, []))[1].append(_span(span))
    request = [_resource(resource, scopes.values()) for resource, scopes in resources.values()]
    return f'{{"resourceSpans":[{",".join(request)}]}}'.encode()


def shortened(body: bytes, longest: int) -> bytes:
    """The request with so many characters of each text."""
    return json.dumps(_cut(json.loads(body), longest), separators=(",", ":")).encode()


def _cut(value: Any, longest: int) -> Any:
    if isinstance(value, str):
        return value[:longest]
    if isinstance(value, dict):
        return {key: _cut(item, longest) for key, item in value.items()}
    return [_cut(item, longest) for item in value] if isinstance(value, list) else value


def _resource(resource: Resource, scopes: Iterable[tuple[InstrumentationScope | None, list[str]]]) -> str:
    schema = f',"schemaUrl":{_text(resource.schema_url)}' if resource.schema_url else ""
    within = ",".join([_scope(scope, spans) for scope, spans in scopes])
    return f'{{"resource":{{"attributes":{_attributes(resource.attributes)}}},"scopeSpans":[{within}]{schema}}}'


def _scope(scope: InstrumentationScope | None, spans: list[str]) -> str:
    if scope is None:
        return f'{{"scope":{{}},"spans":[{",".join(spans)}]}}'
    named = f'"name":{_text(scope.name)},"version":{_text(scope.version or "")}'
    attributes = getattr(scope, "attributes", None)
    more = f',"attributes":{_attributes(attributes)}' if attributes else ""
    schema = f'"schemaUrl":{_text(scope.schema_url)},' if scope.schema_url else ""
    return f'{{"scope":{{{named}{more}}},{schema}"spans":[{",".join(spans)}]}}'


def _span(span: Finished) -> str:
    # The conventions count kinds from 1 on the wire, and from 0 in the API.
    named = f'{_context(span.get_span_context())}"flags":{_flags(span.parent)},"name":{_text(span.name)},"kind":{span.kind.value + 1}'
    times = f'"startTimeUnixNano":"{span.start_time or 0}","endTimeUnixNano":"{span.end_time or 0}"'
    parts = [f'{{{named},{times},"attributes":{_attributes(span.attributes)}']
    if span.parent is not None:
        parts.append(f'"parentSpanId":"{span.parent.span_id:016x}"')
    if span.events:
        parts.append(f'"events":[{",".join(map(_event, span.events))}]')
    if span.links:
        parts.append(f'"links":[{",".join(map(_link, span.links))}]')
    if span.status.status_code.value:
        parts.append(_status(span.status))
    for name, attribute in _DROPPED.items():
        # Older SDKs cannot say it of a copy.
        if count := getattr(span, attribute, 0):
            parts.append(f'"{name}":{count}')
    return ",".join(parts) + "}"


_DROPPED = {
    "droppedAttributesCount": "dropped_attributes",
    "droppedEventsCount": "dropped_events",
    "droppedLinksCount": "dropped_links",
}


def _context(context: SpanContext | None) -> str:
    if context is None:
        return ""
    state = f'"traceState":{_text(context.trace_state.to_header())},' if context.trace_state else ""
    return f'"traceId":"{context.trace_id:032x}","spanId":"{context.span_id:016x}",{state}'


def _flags(remote: SpanContext | None) -> int:
    return 1 | _REMOTE_KNOWN | (_REMOTE if remote is not None and remote.is_remote else 0)


def _status(status: Status) -> str:
    words = f',"message":{_text(status.description)}' if status.description else ""
    return f'"status":{{"code":{status.status_code.value}{words}}}'


def _event(event: Event) -> str:
    return f'{{"name":{_text(event.name)},"timeUnixNano":"{event.timestamp}","attributes":{_attributes(event.attributes)}}}'


def _link(link: Link) -> str:
    return f'{{{_context(link.context)}"flags":{_flags(link.context)},"attributes":{_attributes(link.attributes)}}}'


def _attributes(attributes: Mapping[str, Any] | None) -> str:
    return f"[{','.join([f'{_key(key)}{_value(value)}}}' for key, value in attributes.items()])}]" if attributes else "[]"


@lru_cache(maxsize=1024)
def _key(name: object) -> str:
    return f'{{"key":{_text(str(name))},"value":'


def _value(value: object) -> str:
    if isinstance(value, str):
        return f'{{"stringValue":{_text(value)}}}'
    if isinstance(value, bool):
        return '{"boolValue":true}' if value else '{"boolValue":false}'
    if isinstance(value, int):
        return f'{{"intValue":"{int.__repr__(value)}"}}'
    if isinstance(value, float):
        # JSON has no word for the others; Protocol Buffers' JSON writes them as text.
        return f'{{"doubleValue":{float.__repr__(value) if math.isfinite(value) else _WORDS.get(value, _NO_NUMBER)}}}'
    return _compound(value)


_WORDS = {math.inf: '"Infinity"', -math.inf: '"-Infinity"'}
_NO_NUMBER = '"NaN"'


def _compound(value: object) -> str:
    if type(value) is tuple:
        return f'{{"arrayValue":{{"values":[{",".join(map(_value, value))}]}}}}'
    if value is None:
        return "{}"
    if isinstance(value, bytes):
        return f'{{"bytesValue":"{b64encode(value).decode()}"}}'
    if isinstance(value, Mapping):
        return f'{{"kvlistValue":{{"values":{_attributes(value)}}}}}'
    if isinstance(value, Sequence):
        return f'{{"arrayValue":{{"values":[{",".join(map(_value, value))}]}}}}'
    return f'{{"stringValue":{_text(str(value))}}}'
