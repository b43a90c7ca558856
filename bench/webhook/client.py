"""A client with a few connections: as fast as answers come, or at a given rate whether they come or not."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from typing import cast

from bench.webhook.pods import Requests

_LENGTH = re.compile(rb"content-length: *([0-9]+)\r\n", re.IGNORECASE)
_TICK = 0.001
"""Seconds between arrivals at a given rate: as fine as the loop's timers are."""


@dataclass
class Load:
    """What one round saw: seconds of each request."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def quantile(self, share: float) -> float:
        """The request that this share of requests was not slower than, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Clients:
    """The connections of a round that wait for work, and the work that waits for a connection."""

    def __init__(self, requests: Requests, count: int) -> None:
        self.requests, self.count = requests, count
        self.load = Load()
        self.idle: list[_Connection] = []
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.endless = False
        """Whether there is always a next request."""
        self.resting = asyncio.Event()
        """Set when the last of the connections has nothing to do."""

    def arrive(self, count: int) -> None:
        """So many requests come now."""
        now = time.perf_counter()
        self.waiting.extend((now, self.requests()) for _ in range(count))
        while self.waiting and self.idle:
            self.idle.pop().send(*self.waiting.popleft())

    def free(self, connection: _Connection) -> None:
        """A connection has nothing to do."""
        if self.waiting:
            connection.send(*self.waiting.popleft())
        elif self.endless:
            request = self.requests()
            connection.send(time.perf_counter(), request)
        else:
            self.idle.append(connection)
            if len(self.idle) == self.count:
                self.resting.set()


class _Connection(asyncio.Protocol):
    def __init__(self, clients: _Clients) -> None:
        self._clients = clients
        self._buffer = bytearray()
        self._begun = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's TLS transport is none of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        self._clients.idle.append(self)

    def send(self, begun: float, request: bytes) -> None:
        self._begun = begun
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        found = _LENGTH.search(self._buffer, 0, head + 2)
        length = int(found[1]) if found else 0
        if len(self._buffer) < head + 4 + length:
            return
        load = self._clients.load
        load.seconds.append(time.perf_counter() - self._begun)
        load.failed += not self._buffer.startswith(b"HTTP/1.1 200")
        self._buffer.clear()
        self._clients.free(self)


async def load(port: int, requests: Requests, *, connections: int, seconds: float, rate: float = 0) -> Load:
    """Send for some seconds: at a ``rate`` of so many a second, or, where it is 0, the next one when an answer has come."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    clients = _Clients(requests, connections)
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: _Connection(clients), "127.0.0.1", port, ssl=context) for _ in range(connections)]
    begun = time.perf_counter()
    if rate:
        await _arrivals(clients, rate, begun, seconds)
    else:
        clients.endless = True
        clients.arrive(connections)
        await asyncio.sleep(seconds)
        clients.endless = False
    if len(clients.idle) < connections:
        clients.resting.clear()
        await clients.resting.wait()
    for transport, _ in opened:
        transport.close()
    return clients.load


async def _arrivals(clients: _Clients, rate: float, begun: float, seconds: float) -> None:
    arrived = 0
    while (passed := time.perf_counter() - begun) < seconds:
        due = int(passed * rate)
        clients.arrive(due - arrived)
        arrived = due
        await asyncio.sleep(_TICK)
