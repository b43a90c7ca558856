"""A gateway that is slow, and settings that make no sense: the application works as without us, and silently."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.fakes.otlp import Handler, OTLPReceiver
from tests.runtime import machine
from tests.runtime.pod import Finished, Pod
from tests.runtime.test_ends import CALL, WAIT


class Slow(OTLPReceiver):
    """A gateway that takes everything at once and answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answering = threading.Event()
        self.RequestHandlerClass = _Slow


class _Slow(Handler):
    server: Slow

    def answer(self, *arguments: object, **named: object) -> None:
        """Wait first; nobody may be there any more."""
        self.server.answering.wait()
        super().answer(*arguments, **named)  # type: ignore[arg-type]


@pytest.fixture
def slow() -> Iterator[Slow]:
    with Slow() as gateway:
        yield gateway
        gateway.answering.set()


def test_a_gateway_that_answers_too_late_gets_everything_once(pod: Pod, slow: Slow) -> None:
    """Whatever it takes longer than the timeout, spans go on being sent, and what it may have is not sent again."""
    pod.gateway = slow
    calls = CALL + "\n    for _ in range(11):\n        call()" + WAIT
    environ = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4", "OTEL_BSP_SCHEDULE_DELAY": "1"}
    process = pod.start(calls, **environ)
    assert process.stdout is not None
    # No call waited for an answer: there was none.
    assert process.stdout.readline() == "ready\n"
    spans = pod.spans(12)
    process.terminate()
    _, said = process.communicate()
    assert said == ""
    assert len({span.span_id for span in spans}) == len(slow.spans) == 12
    assert len(slow.requests) > 2


def test_a_process_ends_while_the_gateway_has_not_answered(pod: Pod, slow: Slow) -> None:
    pod.gateway = slow
    done = pod.run(CALL, OTEL_EXPORTER_OTLP_TIMEOUT="3600", OTEL_BSP_SCHEDULE_DELAY="1")
    assert (done.status, done.out, done.err) == (0, "", "")
    assert len(pod.spans(1)) == 1


# A framework is lighter than a client's library, and wakes all of ours just the same.
ASKED = """
    import smolagents
    try:
        from opentelemetry import trace
    except ImportError:
        pass
    else:
        with trace.get_tracer("smolagents").start_as_current_span("asked", attributes={"gen_ai.operation.name": "chat"}):
            pass
    print("answered")
"""
# As a person, a template or a careless tool may leave them; the longest that Linux takes is 128 KiB.
HOSTILE = [
    *(" ", "\n", "a\r\nX-Injected: yes", "x" * 100_000, "%", "%zz=%ff,%", "=,=,,", "a=b" * 20_000, "\u202e\U0001f600", "\udcff\udc80"),
    *("nan", "-1", "1e999", "None", "true", "'\"$(reboot)`", "\x01\x1b[31m", "{}", "[]", "../../etc/passwd"),
]
ENDPOINTS = [
    *("http://127.0.0.1:1\r\nX-Injected: yes", "http://user:pass@127.0.0.1:1/?a#b", "http://\udcff", "http://[::1]:99999", "http://a b"),
    *(
        "http://" + "a" * 100_000,
        "file:///etc/passwd",
        "http://127.0.0.1:0x1",
        "HTTP://\U0001f600.example",
        "https://127.0.0.1:1",
        "//x",
        ":",
    ),
    *("http://127.0.0.1:1/\x01", "http://.", "http://%00", "http://a..b", "http://[fe80::1%25eth0]:1"),
]
OTHERS = ("LLMOBS_RESOURCE_ATTRIBUTES", "LLMOBS_CONTENT", "LLMOBS_VECTOR_STORES", "LLMOBS_BAGGAGE")


def test_no_value_of_our_variables_reaches_the_application(pod: Pod, tmp_path: Path) -> None:
    """Whole processes: they answer as without us, silently, or with lines that all are ours where LLMOBS_LOG asks for them."""
    (tmp_path / "smolagents.py").touch()
    pod.path = [str(tmp_path)]
    without = Finished(0, "answered\n", "")
    assert pod.run(ASKED, LLMOBS_ENDPOINT="") == without
    for value in HOSTILE:
        assert pod.run(ASKED, LLMOBS_LOG=value, **dict.fromkeys(OTHERS, value)) == without, value[:99]
    # None of these switched it off, or kept a span back.
    assert len(pod.spans(len(HOSTILE))) == len(HOSTILE)
    for value in [*HOSTILE, *ENDPOINTS]:
        assert pod.run(ASKED, LLMOBS_ENDPOINT=value) == without, value[:99]
    for value in ENDPOINTS[::2]:
        done = pod.run(ASKED, LLMOBS_ENDPOINT=value, LLMOBS_LOG="info")
        assert (done.status, done.out) == (0, "answered\n"), value[:99]
        lines = done.err.splitlines()
        assert [line[:99] for line in lines if not line.startswith("llmobs: ")] == [], value[:99]
        assert len(lines) <= 2
    assert len(pod.gateway.spans) == len(HOSTILE)


def test_a_path_that_only_the_image_sets_is_repeated_in_the_policy(pod: Pod, tmp_path: Path) -> None:
    """A pod's variable replaces the image's, which admission can't see: what admission makes of the policy's word is what runs here."""
    (tmp_path / "of_the_image.py").write_text("import openai")
    wanted = machine.ROOT / "tests/admission/cases/pythonpath-from-the-policy/want.yaml"
    container = yaml.safe_load(wanted.read_text())["spec"]["containers"][0]
    (value,) = [entry["value"] for entry in container["env"] if entry["name"] == "PYTHONPATH"]
    placed = value.replace("/image/lib", str(tmp_path)).replace("/llmobs/python", str(pod.bundle))
    code = "    import of_the_image" + CALL
    assert pod.run(code, PYTHONPATH=placed) == Finished(0, "", "")
    assert len(pod.spans(1)) == 1
    replaced = pod.run(code, PYTHONPATH=str(pod.bundle))
    assert replaced.err.endswith("ModuleNotFoundError: No module named 'of_the_image'\n")
