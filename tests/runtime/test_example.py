"""The example chat application: what it counts, what the spans say, and what it costs agree."""

import json
import socket
import subprocess
import sys
from collections import Counter
from http.client import HTTPConnection

import pytest

from examples.chat.fake_llm.usage import Usage, usage
from tests.fakes.otlp import Span
from tests.runtime import machine
from tests.runtime.pod import Pod, finish

EXAMPLE = machine.ROOT / "examples" / "chat"
# USD per million tokens, as on the providers' price lists; the example's README works one round out with them.
PRICES = {
    "gpt-4o": {"input": 2.5, "cache_read": 1.25, "output": 10},
    "gpt-4o-mini": {"input": 0.15, "cache_read": 0.075, "output": 0.6},
    "claude-sonnet-4-6": {"input": 3, "cache_read": 0.3, "cache_write": 3.75, "output": 15},
}
ROUND_USD = 0.00745


def tokens(span: Span) -> dict[str, int]:
    """The span's usage with every token in one kind only."""
    read, write = (span.attributes.get(f"gen_ai.usage.cache_{kind}.input_tokens", 0) for kind in ("read", "write"))
    whole = span.attributes["gen_ai.usage.input_tokens"]
    kinds = {"input": whole - read - write, "cache_read": read, "cache_write": write}
    return kinds | {"output": span.attributes["gen_ai.usage.output_tokens"]}


def get(port: int, path: str) -> dict[str, object]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer: dict[str, object] = json.loads(connection.getresponse().read())
    connection.close()
    return answer


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number: int = free.getsockname()[1]
        return number


def test_chat(pod: Pod, port: int) -> None:
    environ = {"PORT": str(port), "CALLS": "6", "CALLS_PER_SECOND": "1000", "PYTHONPATH": f"{EXAMPLE}:{pod.bundle}"}
    process = pod.popen([str(pod.python), "-m", "app.main"], **environ)
    try:
        spans = pod.spans(6)
        stats = get(port, "/stats")
        assert get(port, "/healthz") == {}
    finally:
        process.terminate()
        done = finish(process)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert stats["calls"] == dict.fromkeys(PRICES, 2)
    assert stats["errors"] == {}
    told: dict[str, Counter[str]] = {}
    for span in spans:
        told.setdefault(span.attributes["gen_ai.request.model"], Counter()).update(tokens(span))
    assert {model: +Counter(kinds) for model, kinds in stats["tokens"].items()} == {model: +kinds for model, kinds in told.items()}  # type: ignore[attr-defined]
    cost = sum(PRICES[model][kind] * count / 1e6 for model, kinds in told.items() for kind, count in (+kinds).items())
    assert cost == pytest.approx(2 * ROUND_USD)


def test_worker_carries_nothing(pod: Pod, port: int) -> None:
    environ = {"PORT": str(port), "PYTHONPATH": f"{EXAMPLE}:{pod.bundle}"}
    process = pod.popen([str(pod.python), "-m", "worker.main"], **environ)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        assert get(port, "/healthz") == {"telemetryModules": 0, "threads": 3}
    finally:
        process.terminate()
        done = finish(process)
    assert (done.status, done.err) == (0, "")
    assert pod.gateway.requests == []


def test_the_fake_serves_in_a_container(port: int) -> None:
    command = [sys.executable, "-m", "fake_llm"]
    process = subprocess.Popen(command, cwd=EXAMPLE, env={"PORT": str(port)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == f"fake LLM APIs on port {port}\n"
        assert get(port, "/healthz") == {}
    finally:
        process.terminate()
        done = finish(process)
    assert (done.status, done.err) == (0, "")


def test_the_fake_uses_what_a_request_asks_for() -> None:
    assert usage("gpt-4o", None) == Usage(uncached=600, cache_read=400, output=200)
    assert usage("gpt-4o", "uncached=1,reasoning=2") == Usage(uncached=1, reasoning=2)
    for header in ("words=1", "uncached=many"):
        with pytest.raises(ValueError, match=r"words|many"):
            usage("gpt-4o", header)
