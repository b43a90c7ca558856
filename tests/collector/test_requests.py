"""Requests that the gateway refuses before it looks into them: seen in its own metrics, under labels that no client chooses."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.collector.conftest import inputs
from tests.collector.gateway import DEADLINE, Gateway, free_ports, get, until
from tests.collector.spans import current, export, pairs, span
from tests.collector.test_bounds import hostile, post

HTTP, GRPC = "http_server_request_duration_count", "rpc_server_call_duration_count"
TOO_LARGE = 5 * 2**20
"""Bytes beyond every gateway's bound."""


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    made: Gateway = start(inputs())
    return made


def answers(gateway: Gateway, name: str) -> dict[tuple[str, ...], float]:
    """How many requests had each answer, by the values of the labels in the order of their names."""
    text = get(f"http://127.0.0.1:{gateway.ports['self']}/metrics")
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples if sample.name == name]
    return {tuple(value for _, value in sorted(sample.labels.items())): sample.value for sample in samples}


def test_a_request_that_is_too_large_or_broken_is_counted(gateway: Gateway) -> None:
    large = hostile("none", "my.own", TOO_LARGE)

    assert post(gateway, large) == 400
    assert post(gateway, gzip.compress(large), **{"Content-Encoding": "gzip"}) == 400
    assert post(gateway, b"\xff\xff\xff") == 400
    gateway.send(span(current("gpt-4o", 10, 1)), namespace="team")

    assert until(lambda: answers(gateway, HTTP).get(("400", "/v1/traces")) == 3)
    assert until(lambda: answers(gateway, HTTP).get(("200", "/v1/traces")) == 1)


def test_no_label_is_a_clients_to_choose(gateway: Gateway) -> None:
    def asked(number: int) -> int:
        connection = HTTPConnection("127.0.0.1", gateway.ports["http"], timeout=DEADLINE)
        connection.request("POST", f"/invented/{number}", b"{}", {"Host": f"h{number}.example", "User-Agent": f"agent-{number}"})
        return connection.getresponse().status

    assert {asked(number) for number in range(20)} == {404}

    assert until(lambda: answers(gateway, HTTP).get(("404",)) == 20)
    text = get(f"http://127.0.0.1:{gateway.ports['self']}/metrics")
    assert not [word for word in ("invented", "example", "agent-") if word in text]


@contextmanager
def forwarding(otelcol: str, folder: Path, target: int) -> Iterator[int]:
    """A collector that passes on by gRPC what it takes at a port, whatever its size."""
    port, health = free_ports(2)
    config: dict[str, Any] = {
        "extensions": {"health_check": {"endpoint": f"127.0.0.1:{health}"}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}", "max_request_body_size": 10 * TOO_LARGE}}}},
        "exporters": {
            "otlp_grpc": {
                "endpoint": f"127.0.0.1:{target}",
                "tls": {"insecure": True},
                "compression": "none",
                "sending_queue": {"enabled": False},
                "retry_on_failure": {"enabled": False},
            }
        },
        "service": {
            "extensions": ["health_check"],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["otlp_grpc"]}},
        },
    }
    path = folder / "client.json"
    path.write_text(json.dumps(config))
    with (folder / "client.log").open("w") as log:
        process = subprocess.Popen([otelcol, "--config", str(path)], stdout=log, stderr=log)
    try:
        assert until(lambda: process.poll() is not None or _listens(port)), (folder / "client.log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(timeout=DEADLINE)


def _listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_over_grpc_it_is_counted_too(gateway: Gateway, otelcol: str, tmp_path: Path) -> None:
    def sent(through: int, attributes: Mapping[str, Any]) -> int:
        connection = HTTPConnection("127.0.0.1", through, timeout=DEADLINE)
        call = span(current("gpt-4o", 10, 1))
        call["attributes"] += pairs(attributes)
        body = json.dumps(export({"peer.k8s.namespace.name": "grpc"}, [call]))
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
        return connection.getresponse().status

    with forwarding(otelcol, tmp_path, gateway.ports["grpc"]) as port:
        assert sent(port, {"my.own": "x" * TOO_LARGE}) >= 400
        assert sent(port, {"my.own": "x"}) == 200

    gateway.calls("grpc", 1)
    assert until(lambda: answers(gateway, GRPC) == {("RESOURCE_EXHAUSTED",): 1, ("OK",): 1}), answers(gateway, GRPC)
