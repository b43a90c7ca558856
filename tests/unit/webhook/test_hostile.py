"""Whoever reaches the port: whatever a client sends, or does not send, reviews are answered and nothing is kept for ever."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import http.client
import json
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from llmobs.webhook import patience
from llmobs.webhook.patience import Connection
from uvicorn.server import ServerState

from tests.unit.webhook.service import POD, review
from tests.unit.webhook.test_process import Webhook

SEVERAL = 60
MORE_THAN_BUFFERS = 200_000_000
HEAD = b"POST /mutate?timeout=2s HTTP/1.1\r\nHost: webhook\r\n"


HALF = HEAD + b"Content-Length: 9\r\n\r\nhalf"
WHOLE = HEAD + b"Content-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def webhook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    made = Webhook(tmp_path_factory.mktemp("hostile"))
    yield made
    made.process.kill()
    made.process.wait()


def opened(webhook: Webhook) -> ssl.SSLSocket:
    context = ssl.create_default_context(cadata=webhook.pair.certificate.decode())
    return context.wrap_socket(socket.create_connection(("127.0.0.1", webhook.port), timeout=60), server_hostname="localhost")


def answers(connection: ssl.SSLSocket, count: int = 1) -> list[dict[str, Any]]:
    """The responses that come on a connection, one after the other."""
    found = []
    for _ in range(count):
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 200
        found.append(json.loads(answer.read())["response"])
    return found


def taken(connection: ssl.SSLSocket, start: bytes) -> int:
    """Bytes that can be sent before the other side ends it."""
    sent = 0
    with contextlib.suppress(OSError):
        connection.sendall(start)
        while sent < MORE_THAN_BUFFERS:
            connection.sendall(b"a" * 65_536)
            sent += 65_536
    return sent


def is_served(webhook: Webhook) -> None:
    with contextlib.closing(webhook.connection()) as connection:
        assert webhook.mutate(connection, review())["patch"]


@pytest.mark.parametrize(
    ("headers", "body", "patched"),
    [
        ("Content-Type: text/plain", review(), True),
        ("Content-Type: application/vnd.kubernetes.protobuf", review(), True),
        ("Content-Type: application/vnd.kubernetes.protobuf", b"k8s\x00\n\x0c\n\x02v1", False),
        ("Content-Encoding: gzip", gzip.compress(review()), False),
        ("Accept: text/html\r\nExpect: 200-nonsense", review(), True),
        ("X: y", b"", False),
        ("X: y", b"\x00" * 1000, False),
        ("X: y", b'{"a":' * 5000, False),
        ("X: y", review()[:-1], False),
        ("X: y", review({**POD, "kind": "\0"}).replace(b"\\u0000", b"\xff"), True),
        ("X: y", review().replace(b'"image": "app"', b'"image": "\xff"'), False),
        ("X: y", review({**POD, "metadata": {"annotations": {"large": "x" * 3_000_000}}}), False),
        ("X: y", review({**POD, "x": "y" * 9_000_000}), False),
    ],
    ids=["text", "said to be protobuf", "protobuf", "gzip", "headers", "empty", "zeros", "deep", "cut", "odd", "odd image", "3 MB", "9 MB"],
)
def test_whatever_is_posted_is_allowed(webhook: Webhook, headers: str, body: bytes, patched: bool) -> None:
    with contextlib.closing(opened(webhook)) as connection:
        connection.sendall(HEAD + headers.encode() + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        [response] = answers(connection)

    assert (response["allowed"], "patch" in response) == (True, patched)


def test_a_body_in_chunks_and_requests_in_one_go_are_answered_in_order(webhook: Webhook) -> None:
    body = review(uid="in-chunks")
    chunks = b"".join(b"%x;why=not\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\nTrailer: x\r\n\r\n"
    whole = b"".join(HEAD + b"Content-Length: %d\r\n\r\n" % len(part) + part for part in (review(uid="a"), b"nonsense", review(uid="b")))
    with contextlib.closing(opened(webhook)) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + whole)
        found = answers(connection, 4)

    assert [item["uid"] for item in found] == ["in-chunks", "a", "", "b"]
    assert ["patch" in item for item in found] == [True, True, False, True]


def test_clients_that_wait_keep_nobody_waiting(webhook: Webhook) -> None:
    body = review()
    request = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with contextlib.ExitStack() as stack:
        for _ in range(SEVERAL):
            stack.enter_context(socket.create_connection(("127.0.0.1", webhook.port)))
        slow = [stack.enter_context(contextlib.closing(opened(webhook))) for _ in range(SEVERAL)]
        for number, connection in enumerate(slow):
            connection.sendall(request[: number * len(request) // SEVERAL])
        is_served(webhook)

        for number, connection in enumerate(slow):
            connection.sendall(request[number * len(request) // SEVERAL :])
        assert all(answers(connection)[0]["patch"] for connection in slow)


@pytest.mark.parametrize("start", [HEAD + b"X: ", b"POST /", HEAD + b"X: y\r\n" * 20_000], ids=["header", "path", "headers"])
def test_a_head_without_an_end_is_not_read_for_ever(webhook: Webhook, start: bytes) -> None:
    with contextlib.closing(opened(webhook)) as connection:
        assert taken(connection, start) < MORE_THAN_BUFFERS
    is_served(webhook)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 500, b"\x00" * 10])
def test_what_is_no_tls_harms_nobody(webhook: Webhook, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", webhook.port), timeout=60) as connection:
        connection.sendall(data)
        is_served(webhook)


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", b"POST /mutate HTTP/9.9\r\n\r\n", HEAD + b"Content-Length: -1\r\n\r\n"])
def test_what_is_no_http_ends_its_connection(webhook: Webhook, data: bytes) -> None:
    with contextlib.closing(opened(webhook)) as connection:
        connection.sendall(data)
        connection.settimeout(60)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400")
    is_served(webhook)


class Transport(asyncio.Transport):
    """Takes note of what becomes of a connection."""

    def __init__(self) -> None:
        super().__init__()
        self.aborted = False
        self.written = b""

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def echo(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def answered() -> None:
    """Let the applications that have a whole request run to their end."""
    for _ in range(10):
        await asyncio.sleep(0)


def connections(test: Callable[[Callable[[], tuple[Connection, Transport]]], Awaitable[None]]) -> None:
    """Run a test with a function that opens connections of one server."""

    async def run() -> None:
        config, state = uvicorn.Config(echo, http=Connection, ws="none", lifespan="off", log_config=None), ServerState()

        def made() -> tuple[Connection, Transport]:
            transport, connection = Transport(), Connection(config, state, {})
            connection.connection_made(transport)
            return connection, transport

        await test(made)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("data", "kept", "closed"),
    [
        ([], patience.UNUSED - 1, patience.UNUSED + 1),
        ([HEAD], patience.PATIENCE - 1, patience.PATIENCE + 1),
        ([HALF], patience.PATIENCE - 1, patience.PATIENCE + 1),
        ([WHOLE, HEAD], patience.PATIENCE - 1, patience.PATIENCE + 1),
    ],
    ids=["unused", "head", "body", "second head"],
)
def test_a_connection_that_goes_on_no_more_is_closed(data: list[bytes], kept: float, closed: float) -> None:
    async def test(made: Callable[[], tuple[Connection, Transport]]) -> None:
        connection, transport = made()
        for part in data:
            connection.data_received(part)
            await answered()
        for now, aborted in ((0.0, False), (kept, False), (closed, True)):
            connection.sweep(now)
            assert transport.aborted is aborted

    connections(test)


def test_a_connection_between_two_requests_is_left_to_its_own_limit() -> None:
    async def test(made: Callable[[], tuple[Connection, Transport]]) -> None:
        connection, transport = made()
        connection.data_received(WHOLE)
        await answered()
        assert transport.written
        for now in (0.0, 1e6):
            connection.sweep(now)
        assert not transport.aborted

    connections(test)


def test_above_the_limit_those_make_room_that_nobody_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MOST", 3)

    async def test(made: Callable[[], tuple[Connection, Transport]]) -> None:
        busy, used, unused = made(), made(), made()
        busy[0].data_received(HALF)
        used[0].data_received(WHOLE)
        await answered()
        assert used[1].written

        gone: list[bool] = []
        for victim in (unused, used):
            newest = made()
            newest[0].data_received(HALF)
            gone.append(victim[1].aborted)
            victim[0].connection_lost(OSError())
            assert not newest[1].aborted
        assert gone == [True, True]
        assert not busy[1].aborted
        assert made()[1].aborted, "all others are at work"

    connections(test)


def test_the_folder_of_the_process_tells_no_failure(webhook: Webhook) -> None:
    assert "Traceback" not in Path(webhook.log).read_text()
