"""Take the cluster down: end the processes born in its group, undo what it changed, keep its logs."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time

from binaries.failure import Failed
from binaries.progress import Progress

from cluster import host
from cluster.settings import Settings, possible
from cluster.start import exclusively

_PATIENCE = 20.0  # seconds for killed processes to go


def down(settings: Settings) -> bool:
    """Undo `up`, wherever it got to. False when there was nothing to do. Nothing that is not the cluster's is touched."""
    if not settings.marker.exists():
        return False
    possible()
    with exclusively(settings), Progress("cluster down"):
        _end(settings)
        host.leave(settings)
        _keep_logs(settings)
        shutil.rmtree(settings.state)
    return True


def _end(settings: Settings) -> None:
    """Containers outlive containerd by design, and a dying process may still start another: repeat until none is left."""
    deadline = time.monotonic() + _PATIENCE
    while left := host.processes(settings):
        if time.monotonic() > deadline:
            raise Failed("cluster down", f"these processes do not end: {' '.join(map(str, left))}")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _keep_logs(settings: Settings) -> None:
    shutil.rmtree(settings.last_logs, ignore_errors=True)
    for name in ("log", "podlogs"):
        with contextlib.suppress(OSError, shutil.Error):
            shutil.copytree(settings.state / name, settings.last_logs / name, symlinks=True)
