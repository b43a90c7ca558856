"""Keeps finished spans until a background thread has sent them.

OpenTelemetry's own batch processor is not used: it starts its thread at once, waits up to 30 seconds at exit and
without limit in a flush, drops a batch when the gateway restarts, and holds locks that a signal handler would wait for.
Here spans go through a deque and orders through a SimpleQueue: both may be used from signal handlers and finalizers.
A span wakes the thread only when it is the first one or completes a batch: a thread that wakes takes the interpreter from
the one that called the model.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY as SUPPRESS
from opentelemetry.context import Context, attach, detach, set_value
from opentelemetry.sdk.trace import Span, SpanProcessor

from llmobs_runtime import log
from llmobs_runtime.exporter import Outcome
from llmobs_runtime.recorder import Finished
from llmobs_runtime.weight import QUEUE_BYTES, Room

_FIRST_BACKOFF_SECONDS = 1.0
_LONGEST_BACKOFF_SECONDS = 30.0
_FOREVER = float("inf")

Send = Callable[[Sequence[Finished], float], Outcome]


@dataclass
class _Flush:
    """Asks the thread to send everything before the deadline, and to release the lock then."""

    deadline: float
    done: threading.Lock = field(default_factory=threading.Lock)


class Spool(SpanProcessor):
    """A span processor with a queue that is bounded in spans and in bytes; sizes in spans, delay in seconds.

    The thread begins with the first span; ``started`` is called then, in every process anew.
    """

    def __init__(self, send: Send, *, delay: float, size: int, batch: int, started: Callable[[Spool], None]) -> None:
        self._send = send
        self._delay = delay
        self._size = size
        self._batch = batch
        self._started = started
        self.reset()

    def reset(self) -> None:
        """Begin anew, without a thread and without what is waiting: a forked child leaves that to its parent."""
        # None only wakes the thread.
        self._orders: queue.SimpleQueue[_Flush | None] = queue.SimpleQueue()
        self._finished: deque[Finished] = deque()
        self._wake_at = 1.0
        self._waiting: list[Finished] = []
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._backoff = 0.0
        self._due = _FOREVER
        self._room = Room()
        self._dropped = self._dropped_told = self._cut_told = 0

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing happens when a span starts."""

    def on_end(self, span: Finished) -> None:
        """Take a finished span; where there is no room for it, its texts go first, then the span, and both are counted."""
        full = len(self._finished) + len(self._waiting) >= self._size
        kept = None if full else self._room.admitted(span)
        if kept is None:
            self._dropped += 1
            return
        self._finished.append(kept)
        if self._thread is None:
            self._start()
        elif len(self._finished) >= self._wake_at:
            self._wake_at = _FOREVER
            self._orders.put(None)

    def shutdown(self) -> None:
        """Nothing to close; see flush."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Send what is waiting; False when that took longer than the timeout."""
        return self.flush(timeout_millis / 1000)

    def flush(self, seconds: float) -> bool:
        """Send what is waiting, within so many seconds; safe in a signal handler and when the interpreter ends."""
        order = _Flush(time.monotonic() + seconds)
        thread = self._thread
        if thread is None or not thread.is_alive():
            return self._send_here(order.deadline)
        order.done.acquire()
        self._orders.put(order)
        return order.done.acquire(timeout=seconds) and not self._waiting

    def _start(self) -> None:
        # Not blocking: a finalizer may end a span while this very thread is in here.
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="llmobs", daemon=True)
                thread.start()
                self._thread = thread
                self._started(self)
        except RuntimeError as error:
            # No thread can be had, as when the interpreter ends: the flush at exit sends what is waiting.
            log.failure("no thread", error)
        finally:
            self._starting.release()

    def _run(self) -> None:
        while True:
            try:
                self._step()
            except Exception as error:
                log.failure("sending", error)

    def _step(self) -> None:
        order = self._next()
        self._take()
        if order is not None:
            try:
                self._send_all(order.deadline)
            finally:
                order.done.release()
        elif self._waiting and (time.monotonic() >= self._due or (len(self._waiting) >= self._batch and not self._backoff)):
            self._send_batch(_FOREVER)
        self._tell_dropped()

    def _next(self) -> _Flush | None:
        """Wait for an order, for enough spans, or for the time to send; None when it was no order."""
        wait = None if not self._waiting else max(0.0, self._due - time.monotonic())
        if self._backoff:
            self._wake_at = _FOREVER
        else:
            self._wake_at = self._batch - len(self._waiting) if self._waiting else 1
        # Looked at after the threshold is set: a span that came before did not wake us.
        if len(self._finished) >= self._wake_at:
            wait = 0.0
        try:
            return self._orders.get(timeout=wait)
        except queue.Empty:
            return None

    def _take(self) -> None:
        if self._finished and not self._waiting and not self._backoff:
            self._due = time.monotonic() + self._delay
        while self._finished:
            self._waiting.append(self._finished.popleft())

    def _tell_dropped(self) -> None:
        if self._dropped > self._dropped_told:
            self._dropped_told = self._dropped
            log.info(f"{self._dropped} spans dropped since the start: {self._size} were waiting (OTEL_BSP_MAX_QUEUE_SIZE)")
        if self._room.cut > self._cut_told:
            self._cut_told = self._room.cut
            log.info(f"{self._cut_told} spans cut to their names and figures since the start: {QUEUE_BYTES >> 20} MiB were waiting")

    def _send_here(self, deadline: float) -> bool:
        """Send from the calling thread what no background thread has taken."""
        spans = []
        while self._finished:
            spans.append(self._finished.popleft())
        self._room.release(spans)
        while spans and time.monotonic() < deadline:
            outcome = self._offer(spans[: self._batch], deadline)
            if outcome.again:
                break
            del spans[: outcome.count or self._batch]
        return not spans

    def _send_all(self, deadline: float) -> bool:
        while self._waiting and time.monotonic() < deadline:
            if not self._send_batch(deadline):
                break
        return not self._waiting

    def _send_batch(self, deadline: float) -> bool:
        """Offer one batch; False when it must be offered again."""
        outcome = self._offer(self._waiting[: self._batch], deadline)
        if outcome.again:
            self._backoff = min(self._backoff * 2 or _FIRST_BACKOFF_SECONDS, _LONGEST_BACKOFF_SECONDS)
            self._due = time.monotonic() + max(self._backoff, outcome.after)
            return False
        whole = outcome.count in (0, len(self._waiting), self._batch)
        sent = self._waiting[: outcome.count or self._batch]
        del self._waiting[: len(sent)]
        self._room.release(sent)
        self._backoff = 0.0
        self._due = time.monotonic() + (self._delay if whole and len(self._waiting) < self._batch else 0.0)
        return True

    def _offer(self, spans: Sequence[Finished], deadline: float) -> Outcome:
        # The application's own instrumentation of HTTP must not make spans of our requests.
        token = attach(set_value(SUPPRESS, True))
        try:
            return self._send(spans, deadline)
        finally:
            detach(token)
