"""What the runtime sends is what the real collector reads: every kind of value, sent through it and received again."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from tests.fakes.otlp import OTLPReceiver
from tests.runtime import machine
from tests.runtime.pod import Pod

# The encoder refuses nothing that the SDK lets through; the SDK's own checks are passed by where they are stricter.
APPLICATION = """
    import sys, time
    import openai
    from llmobs_runtime.exporter import Exporter, Outcome
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

    remote = SpanContext(0xa << 120, 0xb << 60, True, TraceFlags(1), TraceState([("vendor", "x")]))
    def span(name, **more):
        return ReadableSpan(
            name, SpanContext(0xc << 120, 0xd, False, TraceFlags(0)), resource=Resource({"service.name": "wire"}, "https://schema"),
            instrumentation_scope=InstrumentationScope("scope", "1", "https://schema", {"key": "value"}), start_time=1, end_time=2, **more)
    values = {
        "text": 'quotes " and ünïcode', "half a character": "\\ud800", "yes": True, "whole": 2**63 - 1, "negative": -5, "float": 0.1,
        "round float": 1.0, "nan": float("nan"), "infinite": float("inf"), "less": -float("inf"), "bytes": b"\\x00\\xff",
        "list": ("a", "b"), "empty list": (), "numbers": (1, 2), "mixed": (1, "a", None), "map": {"a": {"b": 1}}, "other": 1j,
    }
    sent = Exporter(sys.argv[1], 60).send([
        span("values", attributes=values),
        span("parent", parent=remote, kind=SpanKind.CLIENT, status=Status(StatusCode.ERROR, "words"),
             events=[Event("happened", {"a": 1}, 3)], links=[Link(remote, {"a": 1})]),
        span("bare", attributes=None, kind=SpanKind.CONSUMER, status=Status(StatusCode.OK)),
    ], time.monotonic() + 60)
    assert sent == Outcome(count=3), sent
"""


@pytest.fixture(scope="module")
def otelcol() -> str:
    asked = [sys.executable, str(machine.ROOT / "tools" / "build.py"), "--which", "otelcol"]
    path = os.environ.get("OTELCOL") or subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not path or not Path(path).exists():
        pytest.fail("there is no otelcol: run `make tools`, or set OTELCOL to one", pytrace=False)
    return path


@pytest.fixture
def collector(otelcol: str, gateway: OTLPReceiver, tmp_path: Path) -> Iterator[str]:
    """The real collector, which hands everything to the gateway as JSON; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    export = {"endpoint": gateway.url, "encoding": "json", "compression": "none"}
    pipeline = {"receivers": ["otlp"], "exporters": ["otlp_http"]}
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": address}}}},
        "exporters": {"otlp_http": export},
        "service": {"pipelines": {"traces": pipeline}, "telemetry": {"metrics": {"level": "none"}}},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    process = subprocess.Popen([otelcol, "--config", str(tmp_path / "config.json")], stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert any("Everything is ready" in line for line in process.stderr)
        yield f"http://{address}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.collector
def test_every_value(pod: Pod, collector: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(dedent(APPLICATION))
    done = subprocess.run(
        [str(pod.python), str(tmp_path / "main.py"), f"{collector}/v1/traces"],
        env=pod.environ(LLMOBS_LOG="debug"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "llmobs: openai: Active\n")
    spans = {span.name: span for span in pod.spans(3)}
    assert dict(spans["values"].attributes) == {
        "text": 'quotes " and ünïcode',
        "half a character": "\N{REPLACEMENT CHARACTER}",
        "yes": True,
        "whole": 2**63 - 1,
        "negative": -5,
        "float": 0.1,
        "round float": 1.0,
        "nan": "NaN",
        "infinite": "Infinity",
        "less": "-Infinity",
        "bytes": "AP8=",
        "list": ["a", "b"],
        "empty list": [],
        "numbers": [1, 2],
        "mixed": [1, "a", None],
        "map": {"a": {"b": 1}},
        "other": "1j",
    }
    assert (spans["values"].scope, spans["values"].resource) == ("scope", {"service.name": "wire"})
    parent = spans["parent"]
    assert (parent.trace_id, parent.span_id, parent.parent_id) == ("0c" + "0" * 30, "0" * 15 + "d", "b" + "0" * 15)
    assert (parent.kind, parent.start, parent.end, parent.events) == (3, 1, 2, ("happened",))
    assert parent.status == {"message": "words", "code": 2}
    assert (spans["bare"].kind, spans["bare"].status, dict(spans["bare"].attributes)) == (5, {"code": 1}, {})
    assert b'"schemaUrl":"https://schema"' in pod.gateway.raw


@pytest.mark.collector
def test_the_pipeline(pod: Pod, collector: str) -> None:
    done = pod.run(
        "import openai; openai.OpenAI().chat.completions.create(model='gpt-4o', messages=[{'role': 'user', 'content': 'hello'}])",
        LLMOBS_ENDPOINT=collector,
        LLMOBS_CONTENT="Full",
        LLMOBS_LOG="debug",
    )
    assert (done.status, done.err) == (0, "llmobs: openai: Active\n")
    (span,) = pod.spans(1)
    assert span.attributes["gen_ai.usage.input_tokens"] == 1000
    assert "hello" in span.attributes["gen_ai.input.messages"]
