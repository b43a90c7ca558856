"""Our client on the test server, from code that is not asynchronous."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from llmobs.cluster.client import Client, connected

from tests.cluster.apiserver import ApiServer

T = TypeVar("T")


def act(server: ApiServer, do: Callable[[Client], Awaitable[T]]) -> T:
    """Run ``do`` with a client of its own."""

    async def run() -> T:
        async with connected(str(server.kubeconfig())) as client:
            return await do(client)

    return asyncio.run(run())
