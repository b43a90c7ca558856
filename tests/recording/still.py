"""An export request with everything that differs from one recording to the next replaced."""

import re
import uuid
from typing import Any

START = 1_790_000_000_000_000_000
STEP, TOOK = 1_000_000, 250_000_000

UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
PARENT = re.compile(r"(?<='00-)([0-9a-f]{32})-[0-9a-f]{16}")
DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT")
ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
VARYING = {"exception.stacktrace": "Traceback (most recent call last): recorded", "server.port": 443}


def still(request: dict[str, Any]) -> dict[str, Any]:
    """``request`` in OTLP's JSON (identifiers in hexadecimal), with numbered identifiers, even times and no ports."""
    spans = [span for resource in request.get("resourceSpans", []) for scope in resource["scopeSpans"] for span in scope["spans"]]
    spans.sort(key=lambda span: int(span["startTimeUnixNano"]))
    traces = _numbered((span["traceId"] for span in spans), 32)
    names = _numbered((span["spanId"] for span in spans), 16)
    for index, span in enumerate(spans):
        start = START + index * STEP
        span.update(traceId=traces[span["traceId"]], spanId=names[span["spanId"]])
        span.update(startTimeUnixNano=str(start), endTimeUnixNano=str(start + TOOK))
        if "parentSpanId" in span:
            span["parentSpanId"] = names.get(span["parentSpanId"], span["parentSpanId"])
        for event in span.get("events", []):
            event["timeUnixNano"] = str(start + STEP)
        span.pop("flags", None)
        if span.get("kind") and not isinstance(span["kind"], int):
            span["kind"] = {"SPAN_KIND_INTERNAL": 1, "SPAN_KIND_SERVER": 2, "SPAN_KIND_CLIENT": 3}[span["kind"]]
        status = span.get("status", {})
        if isinstance(status.get("code"), str):
            status["code"] = {"STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}[status["code"]]
    return _plain(request)


def _numbered(ids: Any, digits: int) -> dict[str, str]:
    every = dict.fromkeys(ids)
    return {given: f"{number:0{digits}x}" for number, given in enumerate(every, 1)}


def _plain(value: Any) -> Any:
    if isinstance(value, dict) and value.get("key") in VARYING:
        kept = VARYING[value["key"]]
        return {"key": value["key"], "value": {"intValue": str(kept)} if isinstance(kept, int) else {"stringValue": kept}}
    if isinstance(value, dict) and "doubleValue" in value:
        # the only fractions here are settings and measured times: times are told by their many digits
        given = float(value["doubleValue"])
        return {"doubleValue": given if round(given, 3) == given else 0.05}
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value if len(value) == 32 else _still_text(value)
    return value


def _still_text(value: str) -> str:
    value = ADDRESS.sub("127.0.0.1:443", DATE.sub("Thu, 01 Jan 1970 00:00:00 GMT", value))
    return UUID.sub(str(uuid.UUID(int=0)), PARENT.sub(rf"\1-{0:016x}", value))
