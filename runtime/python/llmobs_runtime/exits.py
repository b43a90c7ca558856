"""The ways a process ends or doubles, and what the last spans need there: exit, SIGTERM, fork, multiprocessing."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from functools import wraps
from types import FrameType
from typing import Any

from llmobs_runtime.settings import EXIT_SECONDS
from llmobs_runtime.spool import Spool


def at_exit(spool: Spool) -> None:
    """Send the last spans when the interpreter ends, in this process and in those forked from it."""
    atexit.register(spool.flush, EXIT_SECONDS)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=spool.reset)


def at_worker_exit(spool: Spool) -> None:
    """Send the last spans when a child of multiprocessing ends, or a worker of Celery.

    Before Python 3.13 a child of multiprocessing skips atexit, and every version clears what was registered before the
    fork; a worker of Celery ends at once after its signal. So this is called from the child, once it has a span.
    """
    processes = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if processes is not None and util is not None and processes.parent_process() is not None:
        util.Finalize(None, spool.flush, args=(EXIT_SECONDS,), exitpriority=0)
    signals = sys.modules.get("celery.signals")
    if signals is not None:
        signals.worker_process_shutdown.connect(lambda **_: spool.flush(EXIT_SECONDS), weak=False, dispatch_uid="llmobs")


def at_sigterm(spool: Spool) -> None:
    """Send the last spans on SIGTERM, where the application leaves the signal to its default, or gives it back to it.

    The process then ends by the signal as it would without us; as the first process of a container, which the kernel
    spares from the default action, it goes on as it would without us.
    """
    set_handler = signal.signal

    def terminate(number: int, _: FrameType | None) -> None:
        spool.flush(EXIT_SECONDS)
        if signal.getsignal(number) is not terminate:
            return  # the application put a handler of its own above this one, and calls it
        set_handler(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        set_handler(number, terminate)

    @wraps(set_handler)
    def keep(number: int, handler: Any) -> Any:
        # A server that shuts down by itself restores the default, and then raises the signal once more.
        return set_handler(number, terminate if number == signal.SIGTERM and handler == signal.SIG_DFL else handler)

    signal.signal = keep  # type: ignore[assignment]
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        set_handler(signal.SIGTERM, terminate)
