"""What one client may take of the server: so much memory, so many connections, so long for a request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, NoReturn

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024
"""Bytes of a request line and headers; the API server's are below 1 KiB."""
MOST = 1000
"""Connections that are open at a time; an API server opens a few, and one for each request that finds them busy."""
PATIENCE = 30.0
"""Seconds for a whole request and its answer; an API server itself waits 30 at most, and 2 for ours."""
UNUSED = 120.0
"""Seconds that a connection may stay without any request: a client opens one more than it needs now and then."""
SWEEP = 5.0
"""Seconds between looks at all connections."""


class Connection(HttpToolsProtocol):
    """One connection of a client that nobody knows yet: whoever reaches the port can open it."""

    _head = 0
    _since: tuple[object, float] = (None, 0.0)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take it; above the limit another one makes room that nobody uses."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            others: Iterable[Any] = [item for item in self.connections if item is not self]
            idle = [item for item in others if item.cycle is None or item.timeout_keep_alive_task is not None]
            unused = next((item for item in idle if item.cycle is None), None)
            (unused or next(iter(idle), self)).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take what has come; a head without an end is not kept for ever."""
        super().data_received(data)
        # What uvicorn knows of a request says its method once the head is whole.
        scope: Any = self.scope
        if scope is not None and "method" in scope:
            self._head = 0
            return
        self._head += len(data)
        if self._head > LONGEST_HEAD:
            self.transport.abort()

    def sweep(self, now: float) -> None:
        """Close it when it has stood for too long where it stands; between two requests it has a time limit of its own."""
        if self.timeout_keep_alive_task is not None:
            return
        place = (self.cycle, self._head > 0)
        if self._since[0] != place:
            self._since = (place, now)
        elif now - self._since[1] > (PATIENCE if any(place) else UNUSED):
            self.transport.abort()


async def sweep(connections: set[Any]) -> NoReturn:
    """Look at all connections again and again."""
    while True:
        await asyncio.sleep(SWEEP)
        now = asyncio.get_running_loop().time()
        for connection in list(connections):
            connection.sweep(now)
