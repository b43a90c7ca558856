"""Progress on the screen: a bar on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from types import TracebackType
from typing import Self, TextIO

_WIDTH = 28
_TERMINAL_EVERY = 0.2  # seconds between two drawings
_PLAIN_EVERY = 15.0


class Progress:
    """One piece of work being watched; a thread of its own keeps the clock running while the work says nothing.

    `total` 0 means that nobody knows how much there is: then only the count and the time are shown.
    """

    def __init__(self, what: str, *, total: int = 0, unit: str = "", stream: TextIO | None = None) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.done, self.note = 0, ""
        self._stream = stream or sys.stderr
        self._terminal = self._stream.isatty()
        self._start = time.monotonic()
        self._stop = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if not self._terminal:
            self._write(f"{self.what} …\n")
        self._ticker.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._ticker.join()
        self._write(self._erased(f"{self.what}: {'failed after' if kind else 'done in'} {clock(self.seconds)}") + "\n")

    @property
    def seconds(self) -> float:
        """How long the work has taken up to now."""
        return time.monotonic() - self._start

    def step(self, note: str = "") -> None:
        """One unit more is done."""
        self.done += 1
        self.note = note

    def say(self, text: str) -> None:
        """A line that stays on the screen."""
        self._write(self._erased(text) + "\n")

    def line(self) -> str:
        """What is shown now, as one line."""
        known = [f"{self.done}/{self.total} {self.unit}".rstrip()] if self.total else [f"{self.done} {self.unit}"] if self.done else []
        parts = [self.what, *known, clock(self.seconds), *([self.note] if self.note else [])]
        return "  ".join([bar(self.done, self.total), *parts] if self.total and self._terminal else parts)

    def _tick(self) -> None:
        while not self._stop.wait(_TERMINAL_EVERY if self._terminal else _PLAIN_EVERY):
            self._write(self._erased(self.line()) if self._terminal else self.line() + "\n")

    def _erased(self, text: str) -> str:
        return f"\r\x1b[K{text[: shutil.get_terminal_size().columns - 1]}" if self._terminal else text

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def bar(done: int, total: int) -> str:
    """The filled and the empty part of a bar."""
    filled = min(_WIDTH, _WIDTH * done // max(total, 1))
    return "[" + "#" * filled + "·" * (_WIDTH - filled) + "]"


def clock(seconds: float) -> str:
    """`4.2 s` below a minute, `4:05 min` above."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02} min"
