"""However a process ends, its last spans are sent, and it does not wait long for that."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from textwrap import dedent

import pytest

from tests.fakes.otlp import OTLPReceiver
from tests.runtime import machine
from tests.runtime.pod import NEVER, Pod, finish, finish_timed
from tests.runtime.serving import FREE, serve

sys.path.append(str(machine.RUNTIME))
from llmobs_runtime.settings import EXIT_SECONDS

CALL = """
    import openai, os, signal, sys, threading
    def call():
        openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
    call()
"""
WAIT = """
    print("ready", flush=True)
    threading.Event().wait()
"""
# A network operation may take as long as it likes: only the bound at exit can end the process in time.
PATIENT = NEVER | {"OTEL_EXPORTER_OTLP_TIMEOUT": "3600"}


@pytest.fixture
def black_hole() -> Iterator[str]:
    """A collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_the_bound_at_exit_leaves_room_below_two_seconds() -> None:
    assert EXIT_SECONDS <= 1.2


def test_exit_with_a_collector_that_never_answers(pod: Pod, black_hole: str) -> None:
    done = finish_timed(pod.start(CALL + "\n    print('done', flush=True)", LLMOBS_ENDPOINT=black_hole, **PATIENT))
    assert (done.status, done.out, done.err) == (0, "done\n", "")
    assert done.lingered < EXIT_SECONDS + 20


def test_sigterm_with_a_collector_that_never_answers(pod: Pod, black_hole: str) -> None:
    process = pod.start(CALL + WAIT, LLMOBS_ENDPOINT=black_hole, **PATIENT)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    assert finish(process).status == -signal.SIGTERM


def test_exit_with_a_collector_that_is_down(pod: Pod) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        nobody = f"http://127.0.0.1:{server.getsockname()[1]}"
    done = finish_timed(pod.start(CALL + "\n    print('done', flush=True)", LLMOBS_ENDPOINT=nobody))
    assert (done.status, done.out, done.err) == (0, "done\n", "")
    assert done.lingered < EXIT_SECONDS + 20


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_exit_with_a_collector_that_refuses(pod: Pod, status: int) -> None:
    pod.gateway.status = status
    done = pod.run(CALL)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert pod.gateway.requests


def test_a_collector_that_comes_back_gets_everything_once(pod: Pod) -> None:
    pod.gateway.status = 503
    process = pod.start(CALL + WAIT, OTEL_BSP_SCHEDULE_DELAY="1")
    assert pod.gateway.wait(lambda gateway: bool(gateway.requests))
    pod.gateway.status = 200
    assert len(pod.spans(1)) == 1
    process.terminate()
    finish(process)
    assert len(pod.gateway.spans) == 1


def test_exit(pod: Pod) -> None:
    assert pod.run(CALL, **NEVER).status == 0
    assert len(pod.gateway.spans) == 1


def test_exit_with_an_exception(pod: Pod) -> None:
    assert pod.run(CALL + "\n    sys.exit(7)", **NEVER).status == 7
    assert len(pod.gateway.spans) == 1


def test_sigterm(pod: Pod) -> None:
    process = pod.start(CALL + WAIT, **NEVER)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    done = finish(process)
    assert (done.status, done.err) == (-signal.SIGTERM, "")
    assert len(pod.gateway.spans) == 1


@pytest.mark.parametrize("before", [True, False], ids=["handler before import", "handler after import"])
def test_sigterm_that_the_application_handles(pod: Pod, before: bool) -> None:
    handler = """
    import signal, sys
    def stop(number, frame):
        sys.exit(5)
    signal.signal(signal.SIGTERM, stop)
    """
    check = """
    assert signal.getsignal(signal.SIGTERM) is stop
    """
    process = pod.start((handler + CALL if before else CALL + handler) + check + WAIT, **NEVER)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    assert finish(process).status == 5
    assert len(pod.gateway.spans) == 1


def test_sigterm_handler_that_calls_the_one_before(pod: Pod) -> None:
    chain = """
    ours = signal.getsignal(signal.SIGTERM)
    def stop(number, frame):
        ours(number, frame)
        os.write(1, b"mine\\n")
        os._exit(5)
    signal.signal(signal.SIGTERM, stop)
    """
    process = pod.start(CALL + chain + WAIT, **NEVER)
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    done = finish(process)
    assert (done.status, done.out, done.err) == (5, "mine\n", "")
    assert len(pod.gateway.spans) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="process identifiers of its own are Linux's")
def test_sigterm_that_the_kernel_withholds_from_the_first_process(pod: Pod) -> None:
    """The first process of a container survives SIGTERM when it has no handler; with us it does too."""
    unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*unshare, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody make a process namespace")
    code = (
        CALL
        + """
    print(os.getpid(), flush=True)
    os.kill(1, signal.SIGTERM)
    os.kill(1, signal.SIGTERM)
    print("still here", flush=True)
    os._exit(0)
    """
    )
    done = finish(pod.popen([*unshare, str(pod.python), "-c", dedent(code)], **NEVER))
    assert (done.status, done.out) == (0, "1\nstill here\n")
    assert len(pod.gateway.spans) == 1


@pytest.mark.parametrize("ending", ["sys.exit(0)", "pass"])
def test_fork(pod: Pod, ending: str) -> None:
    code = (
        CALL
        + f"""
    child = os.fork()
    call()
    if child:
        os.waitpid(child, 0)
    else:
        {ending}
    """
    )
    assert pod.run(code, **NEVER).status == 0
    spans = pod.spans(3)
    assert len(spans) == 3
    instances = [span.resource["service.instance.id"] for span in spans]
    assert sorted(instances.count(instance) for instance in set(instances)) == [1, 2]
    assert {instance.startswith("team.chat-1.app.") for instance in instances} == {True}


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(pod: Pod, tmp_path: Path, method: str) -> None:
    script = tmp_path / "main.py"
    script.write_text(f"""
import multiprocessing, openai
def call(_=None):
    openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
if __name__ == "__main__":
    call()
    context = multiprocessing.get_context("{method}")
    children = [context.Process(target=call) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
""")
    done = finish(pod.popen([str(pod.python), str(script)], **NEVER))
    assert (done.status, done.out, done.err) == (0, "", "")
    spans = pod.spans(3)
    assert len({span.resource["service.instance.id"] for span in spans}) == len(spans) == 3


@pytest.mark.parametrize("options", [[], ["--preload"], ["--worker-class", "gthread", "--threads", "2"]], ids=str)
def test_gunicorn(pod: Pod, tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "served.py").write_text("""
import openai
def application(environ, start_response):
    openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
""")
    command = ["gunicorn", "--bind", f"fd://{FREE}", "--workers", "2", *options, "served:application"]
    serve(pod, command, tmp_path, requests=10, PYTHONPATH=f"{tmp_path}:{pod.bundle}")
    assert len(pod.spans(10)) == 10


def test_a_full_queue_drops_and_says_so(pod: Pod) -> None:
    pod.gateway.status = 503
    code = (
        CALL
        + """
    for _ in range(9):
        call()
    """
    )
    done = pod.run(code, **NEVER, OTEL_BSP_MAX_QUEUE_SIZE="4", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="4", LLMOBS_LOG="info")
    assert done.status == 0
    assert done.err.splitlines()[-1] == "llmobs: 6 spans dropped since the start: 4 were waiting (OTEL_BSP_MAX_QUEUE_SIZE)"


def test_batches(pod: Pod) -> None:
    code = (
        CALL
        + """
    for _ in range(9):
        call()
    """
    )
    pod.run(code, **NEVER, OTEL_BSP_MAX_EXPORT_BATCH_SIZE="3")
    assert len(pod.gateway.spans) == 10
    assert len(pod.gateway.requests) == 4


def test_other_headers_of_the_application_stay_with_it(pod: Pod) -> None:
    pod.run(CALL, OTEL_EXPORTER_OTLP_HEADERS="api-key=secret", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    (headers,) = pod.gateway.requests
    assert len(pod.gateway.spans) == 1
    assert "api-key" not in headers


def test_receiver_counts_what_it_refused() -> None:
    """The receiver itself: what it refuses it does not keep."""
    with OTLPReceiver(status=503) as gateway:
        connection = HTTPConnection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
        connection.request("POST", "/v1/traces", b'{"resourceSpans": []}', {"Content-Type": "application/json"})
        assert connection.getresponse().status == 503
        connection.close()
        assert gateway.wait(lambda receiver: len(receiver.requests) == 1)
        assert gateway.spans == []
