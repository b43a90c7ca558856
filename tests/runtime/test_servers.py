"""Servers and task queues of several processes lose nothing when they end, beside old versions of what others bring along."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime import machine
from tests.runtime.pod import NEVER, Pod, finish
from tests.runtime.serving import FREE, serve

CALL = """
import openai
def call():
    openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
"""
SERVED = (
    CALL
    + """
async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await openai.AsyncOpenAI().embeddings.create(model="text-embedding-3-small", input="x")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""
)
QUEUE = (
    CALL
    + """
import os
from celery import Celery
folder = os.environ["QUEUE"]
queue = Celery("queue", broker="filesystem://", backend="file://" + folder + "/results")
queue.conf.broker_transport_options = {"data_folder_in": folder, "data_folder_out": folder, "processed_folder": folder}
queue.conf.worker_hijack_root_logger = False
@queue.task(name="ask")
def ask():
    call()
    return os.getpid()
"""
)


@pytest.fixture
def servers(pod_of: Callable[[Path], Pod], tmp_path: Path) -> Pod:
    pod = pod_of(machine.environment("servers"))
    pod.path = [str(tmp_path)]
    return pod


@pytest.mark.parametrize("workers", [1, 2])
def test_uvicorn(servers: Pod, tmp_path: Path, workers: int) -> None:
    (tmp_path / "served.py").write_text(SERVED)
    serve(servers, ["uvicorn", "--fd", FREE, "--workers", str(workers), "served:application"], tmp_path, requests=6)
    assert len(servers.spans(6)) == 6


def test_celery(servers: Pod, tmp_path: Path) -> None:
    """Workers by prefork end without atexit, by a fork of multiprocessing of their own."""
    (tmp_path / "queue_app.py").write_text(QUEUE)
    (tmp_path / "queue" / "results").mkdir(parents=True)
    environ = {**NEVER, "QUEUE": str(tmp_path / "queue")}
    worker = [str(servers.python), "-m", "celery", "--app", "queue_app:queue", "worker", "--concurrency", "2", "--loglevel", "ERROR"]
    process = servers.popen(worker, **environ)
    try:
        asked = servers.run("import queue_app; print(sum(queue_app.ask.delay().get(timeout=200) > 0 for _ in range(4)))", **environ)
        assert (asked.status, asked.out) == (0, "4\n"), asked.err
    finally:
        process.send_signal(signal.SIGTERM)
        finish(process)
    assert len(servers.spans(4)) == 4


def test_old_packages_stay(servers: Pod) -> None:
    versions = "import openai, google.protobuf as p, requests as r, urllib3 as u; print(p.__version__, r.__version__, u.__version__)"
    done = servers.run(CALL + "call()\n" + versions, LLMOBS_LOG="info")
    assert (done.status, done.out, done.err) == (0, "3.20.3 2.28.2 1.26.20\n", "llmobs: openai: Active\n")
    assert len(servers.spans(1)) == 1
