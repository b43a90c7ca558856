"""The ways a process ends or doubles, and what the last spans need there: exit, SIGTERM, fork, multiprocessing."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType

from llmobs_runtime.settings import EXIT_SECONDS
from llmobs_runtime.spool import Spool


def at_exit(spool: Spool) -> None:
    """Send the last spans when the interpreter ends, in this process and in those forked from it."""
    atexit.register(spool.flush, EXIT_SECONDS)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=spool.reset)


def at_worker_exit(spool: Spool) -> None:
    """Send the last spans when a child of multiprocessing ends.

    Before Python 3.13 such a child skips atexit, and every version clears what was registered before the fork: so this
    is called from the child, once it has a span.
    """
    processes = sys.modules.get("multiprocessing.process")
    util = sys.modules.get("multiprocessing.util")
    if processes is not None and util is not None and processes.parent_process() is not None:
        util.Finalize(None, spool.flush, args=(EXIT_SECONDS,), exitpriority=0)


def at_sigterm(spool: Spool) -> None:
    """Send the last spans on SIGTERM, where the application leaves the signal to its default.

    The process then ends by the signal as it would without us; as the first process of a container, which the kernel
    spares from the default action, it goes on as it would without us.
    """

    def terminate(number: int, _: FrameType | None) -> None:
        spool.flush(EXIT_SECONDS)
        if signal.getsignal(number) is not terminate:
            return  # the application put a handler of its own above this one, and calls it
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, terminate)

    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminate)
