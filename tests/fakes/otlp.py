"""A receiver of OTLP/HTTP JSON that keeps every span in a shape that tests read easily."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.loopback import Answering, Loopback

Json = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """One received span: names and attributes as plain values, identifiers in hexadecimal, times in nanoseconds."""

    name: str
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]
    scope: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    start: int
    end: int
    status: Mapping[str, Any]
    events: tuple[str, ...]


class OTLPReceiver(Loopback):
    """Takes what exporters send.

    ``status`` is what it answers; spans are kept only while that is 200. ``requests`` has the headers of every export, names in
    lower case, and ``raw`` everything that was sent.
    """

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.spans: list[Span] = []
        self.requests: list[Mapping[str, str]] = []
        self.raw = b""
        self._changed = threading.Condition()
        super().__init__(Handler)

    def keep(self, headers: Mapping[str, str], body: bytes) -> None:
        """Take the spans of one request, and wake those who wait for them."""
        spans = decode(json.loads(body))
        with self._changed:
            self.raw += body
            self.requests.append(headers)
            self.spans.extend(spans if self.status == 200 else [])
            self._changed.notify_all()

    def wait(self, enough: Callable[["OTLPReceiver"], bool], seconds: float = 180) -> bool:
        """Wait until the condition holds; False when it did not in time."""
        deadline = time.monotonic() + seconds
        with self._changed:
            return self._changed.wait_for(lambda: enough(self), deadline - time.monotonic())


class Handler(Answering):
    """Answers one connection."""

    server: OTLPReceiver

    def do_POST(self) -> None:
        """Take one export."""
        body = self.body()
        known = self.path == "/v1/traces" and self.headers["Content-Type"] == "application/json"
        if known:
            self.server.keep(self.named(), body)
        self.answer(b"{}", status=self.server.status if known else 404)


def decode(request: Json) -> list[Span]:
    """Return the spans of one export request."""
    return [
        _span(span, _attributes(resource.get("resource", {})), scope.get("scope", {}).get("name", ""))
        for resource in request.get("resourceSpans", [])
        for scope in resource.get("scopeSpans", [])
        for span in scope.get("spans", [])
    ]


def _span(span: Json, resource: Json, scope: str) -> Span:
    return Span(
        name=span["name"],
        attributes=_attributes(span),
        resource=resource,
        scope=scope,
        trace_id=span.get("traceId", ""),
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId", ""),
        kind=span.get("kind", 0),
        start=int(span["startTimeUnixNano"]),
        end=int(span["endTimeUnixNano"]),
        status=span.get("status", {}),
        events=tuple(event["name"] for event in span.get("events", [])),
    )


def _attributes(holder: Json) -> Json:
    return {pair["key"]: _value(pair.get("value", {})) for pair in holder.get("attributes", [])}


def _value(value: Json) -> Any:
    match value:
        case {"intValue": number}:
            return int(number)
        case {"arrayValue": array}:
            return [_value(item) for item in array.get("values", [])]
        case {"kvlistValue": pairs}:
            return {pair["key"]: _value(pair["value"]) for pair in pairs.get("values", [])}
    return next(iter(value.values()), None)
