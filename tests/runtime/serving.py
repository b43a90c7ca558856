"""A server of an application for as many requests as a test makes, on a port that is open before the server starts."""

import socket
import subprocess
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path

from tests.runtime.pod import NEVER, Pod, finish

FREE = "FREE"
"""Stands in a command for the descriptor of the open port."""


def serve(pod: Pod, command: Sequence[str], folder: Path, *, requests: int, **environ: str) -> None:
    """Start a module of the pod's Python in this folder, make so many requests, and end it; each must be answered ``ok``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        free.listen()
        free.set_inheritable(True)
        run = [str(pod.python), "-m", *(part.replace(FREE, str(free.fileno())) for part in command)]
        inside, pipe = pod.environ(**NEVER, **environ), subprocess.PIPE
        process = subprocess.Popen(run, env=inside, pass_fds=[free.fileno()], stdout=pipe, stderr=pipe, text=True, cwd=folder)
        try:
            for _ in range(requests):
                _request(free.getsockname()[1])
        finally:
            process.terminate()
            finish(process)


def _request(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"ok"
    connection.close()
