"""One hostile request neither ends a gateway nor keeps it from counting a neighbour's calls."""

from __future__ import annotations

import gzip
from contextlib import closing, suppress
from http.client import HTTPConnection
from typing import Any

import pytest
from llmobs.catalogue import sidecar
from llmobs.plan import collector
from llmobs.plan.collector.config import largest_request

from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import PEER, Gateway
from tests.collector.spans import current, span
from tests.fakes.otlp import OTLPReceiver

MEBIBYTE = 2**20


def number(value: int) -> bytes:
    """A number as Protocol Buffers write it."""
    made = b""
    while value > 127:
        made, value = made + bytes([value & 127 | 128]), value >> 7
    return made + bytes([value])


def field(tag: int, body: bytes) -> bytes:
    return number(tag << 3 | 2) + number(len(body)) + body


def nested(size: int) -> bytes:
    """A value of about that many bytes: a list in a list in a list."""
    parts, held = [field(1, b"x")], 3
    while held < size:
        for tag in (1, 5):  # ArrayValue.values, AnyValue.array_value
            parts.append(number(tag << 3 | 2) + number(held))
            held += len(parts[-1])
    return b"".join(reversed(parts))


def text(value: str) -> bytes:
    return field(1, value.encode())


def pair(key: str, value: bytes) -> bytes:
    return field(1, key.encode()) + field(2, value)


def hostile(namespace: str, attribute: str, size: int) -> bytes:
    """A request of at most that many bytes with a call whose attribute goes as deep as they let it."""
    called = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    resource = b"".join(field(1, pair(*item)) for item in ((f"{PEER}k8s.namespace.name", text(namespace)), ("service.name", text("s"))))
    made = field(1, bytes(15) + b"\x01") + field(2, bytes(7) + b"\x01") + field(5, b"deep")
    made += b"".join(field(9, pair(key, text(value))) for key, value in called.items())
    made += field(9, pair(attribute, nested(size - 1000)))
    return field(1, field(1, resource) + field(2, field(2, made)))


def post(gateway: Gateway, body: bytes, **headers: str) -> int:
    with closing(HTTPConnection("127.0.0.1", gateway.ports["http"], timeout=60)) as connection:
        with suppress(BrokenPipeError):  # it may hang up before it was sent everything; what it says is there to read
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf", **headers})
        return connection.getresponse().status


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> tuple[Gateway, int]:
    """The gateway and the bytes of the largest request that any takes."""
    to = {"backends": sent_to(kept)}
    specs = {f"{level.lower()}/p": {**to, "content": {"capture": level}} for level in ("None", "Hash", "Masked", "Full")}
    given = inputs(specs, fleet=FULL, settings={"gateway": {"memory": "64Gi"}})
    return start(given, readable=False), largest_request("64Gi") * MEBIBYTE


@pytest.mark.parametrize(
    ("level", "attribute"),
    [("none", "my.own"), ("hash", "gen_ai.input.messages"), ("masked", "gen_ai.input.messages"), ("full", "gen_ai.response.id")],
)
def test_the_deepest_value_that_is_taken_stops_nothing(gateway: tuple[Gateway, int], level: str, attribute: str) -> None:
    running, largest = gateway
    before = running.value("llm_calls_total", k8s_namespace="neighbour")
    body = hostile(level, attribute, largest)
    assert largest - 5000 < len(body) <= largest

    assert post(running, body) == 200

    running.send(span(current("gpt-4o", 10, 1)), namespace="neighbour")
    running.calls("neighbour", int(before) + 1)
    assert running.process.poll() is None


def test_a_larger_request_is_refused_however_it_is_packed(gateway: tuple[Gateway, int]) -> None:
    running, largest = gateway
    before = running.value("llm_calls_total", k8s_namespace="neighbour")
    body = hostile("none", "my.own", 4 * largest)

    assert post(running, body) == 400
    assert post(running, gzip.compress(body), **{"Content-Encoding": "gzip"}) == 400

    running.send(span(current("gpt-4o", 10, 1)), namespace="neighbour")
    running.calls("neighbour", int(before) + 1)


@pytest.mark.parametrize(("memory", "bound"), [("128Mi", 1), ("512Mi", 2), ("1Gi", 4), ("64Gi", 4)])
def test_the_bound_follows_the_memory_for_every_protocol(memory: str, bound: int) -> None:
    protocols = collector.bare_config(inputs(settings={"gateway": {"memory": memory}}))["receivers"]["otlp"]["protocols"]

    assert protocols["grpc"]["max_recv_msg_size_mib"] == bound
    assert protocols["http"]["max_request_body_size"] == bound * MEBIBYTE


def test_collectors_in_pods_send_less_than_every_gateway_takes() -> None:
    made = sidecar.built_in("http://127.0.0.1:1", 128)

    assert f'"max_size":{sidecar.REQUEST}' in made
    assert largest_request("1Mi") * MEBIBYTE > sidecar.REQUEST
