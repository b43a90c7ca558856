"""A client that keeps connections busy: the next request as soon as the last answer is whole."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import cast

_LENGTH = re.compile(rb"content-length: *([0-9]+)\r\n", re.IGNORECASE)


@dataclass
class Load:
    """What one round saw: seconds of each request."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def quantile(self, share: float) -> float:
        """The request that this share of requests was not slower than, in seconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, load: Load, until: float) -> None:
        self._request, self._load, self._until = request, load, until
        self._buffer = bytearray()
        self._begun = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's TLS transport is none of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def _send(self) -> None:
        self._begun = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        found = _LENGTH.search(self._buffer, 0, head + 2)
        length = int(found[1]) if found else 0
        if len(self._buffer) < head + 4 + length:
            return
        self._load.seconds.append(time.perf_counter() - self._begun)
        self._load.failed += not self._buffer.startswith(b"HTTP/1.1 200")
        self._buffer.clear()
        if time.perf_counter() < self._until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None)


async def load(port: int, body: bytes, *, connections: int, seconds: float) -> Load:
    """Keep ``connections`` busy with ``body`` for some seconds."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    head = f"POST /mutate?timeout=2s HTTP/1.1\r\nHost: webhook\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    made, until = Load(), time.perf_counter() + seconds
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(head.encode() + body, made, until), "127.0.0.1", port, ssl=context)
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    return made
