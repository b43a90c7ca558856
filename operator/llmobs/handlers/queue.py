"""A queue of keys: each at most once in it, never worked on twice at a time, with delays and back-off per key."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from llmobs.kit.errors import NotYet

K = TypeVar("K", bound=Hashable)

FIRST, LONGEST = 0.5, 120.0
"""Bounds in seconds of the pause after failures of one key: doubling, with jitter."""

logger = logging.getLogger(__name__)

Work = Callable[[K], Awaitable[float | None]]
"""Does what a key asks for; answers in how many seconds to look again, or None."""
Failed = Callable[[K, Exception], None]


class Queue(Generic[K]):
    """Keys that are due now or later. A key that is added while it is worked on comes again afterwards."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[K, float] = {}
        self._latest: dict[K, float] = {}
        """Until when a key that is being gathered can be put off."""
        self._heap: list[tuple[float, int, K]] = []
        self._pushed = itertools.count()
        self._busy: set[K] = set()
        self._failures: dict[K, int] = {}
        self._changed = asyncio.Event()

    def add(self, key: K, *, delay: float = 0.0) -> None:
        """Ask for ``key`` within ``delay`` seconds; an earlier time that was asked for stays."""
        due = self._clock() + delay
        if key in self._latest:
            self._latest[key] = min(self._latest[key], due)
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            self._push(key)
            self._changed.set()

    def gather(self, key: K, *, quiet: float, longest: float) -> None:
        """Ask for ``key`` once nobody has asked for ``quiet`` seconds, ``longest`` seconds from the first time at the latest."""
        now = self._clock()
        before = self._due.get(key)
        if key not in self._latest:
            # what was asked for within a time comes within that time
            self._latest[key] = now + longest if before is None else min(before, now + longest)
            before = None
        due = min(max(now + quiet, before or now), self._latest[key])
        if due != self._due.get(key):
            self._due[key] = due
            self._push(key)
            self._changed.set()

    def _push(self, key: K) -> None:
        heapq.heappush(self._heap, (self._due[key], next(self._pushed), key))

    def __len__(self) -> int:
        return len(self._due)

    @property
    def lag(self) -> float:
        """Seconds for which the most overdue key has waited."""
        now = self._clock()
        return max((now - due for key, due in self._due.items() if key not in self._busy), default=0.0)

    async def work(self, do: Work[K], failed: Failed[K]) -> None:
        """Work on due keys for ever; several workers may run at a time."""
        while True:
            key = await self._next()
            try:
                again = await do(key)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong with one key must not stop the others
                again = self._delay(key, error)
                failed(key, error)
            else:
                self._failures.pop(key, None)
            finally:
                self._busy.discard(key)
                if key in self._due:  # asked for meanwhile: its entry was passed over
                    self._push(key)
                    self._changed.set()
            if again is not None:
                self.add(key, delay=again)

    def _delay(self, key: K, error: Exception) -> float:
        count = self._failures[key] = self._failures.get(key, 0) + 1
        pause = min(LONGEST, FIRST * float(2 ** min(count - 1, 12))) * random.uniform(0.7, 1.0)
        return max(pause, error.delay) if isinstance(error, NotYet) else pause

    async def _next(self) -> K:
        while True:
            self._changed.clear()
            wait = self._wait()
            if wait is not None and wait <= 0:
                _, _, key = heapq.heappop(self._heap)
                del self._due[key]
                self._latest.pop(key, None)
                self._busy.add(key)
                return key
            try:
                await asyncio.wait_for(self._changed.wait(), timeout=wait)
            except TimeoutError:
                continue

    def _wait(self) -> float | None:
        """Seconds until the first key that nobody works on is due; entries that no longer count are dropped on the way."""
        while self._heap:
            due, _, key = self._heap[0]
            if self._due.get(key) == due and key not in self._busy:
                return due - self._clock()
            heapq.heappop(self._heap)
        return None
