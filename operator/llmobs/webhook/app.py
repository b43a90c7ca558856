"""The two ASGI applications: admission with its probes on the TLS port, probes and metrics on the plain one."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from prometheus_client.exposition import choose_encoder

from llmobs.telemetry.admission import AdmissionMetrics
from llmobs.webhook.repeats import Answers
from llmobs.webhook.review import LARGEST, Answer, unreadable
from llmobs.webhook.store import Store

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

_JSON = [(b"content-type", b"application/json")]
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]

logger = logging.getLogger(__name__)


class Probes:
    """``/healthz``, ``/readyz`` and ``/metrics``.

    Not ready before the policies are known, while ``distrust`` says why the API server would refuse the certificate, and while
    stopping.
    """

    def __init__(self, store: Store, metrics: AdmissionMetrics, *, distrust: Callable[[], Awaitable[str]] | None = None) -> None:
        self.stopping = False
        self._store = store
        self._distrust = distrust
        self._metrics = metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the shape of ASGI
        """Answer one request."""
        if scope["type"] == "http":
            await self.answer(scope, send, metrics=True)

    async def answer(self, scope: Message, send: Send, *, metrics: bool) -> None:
        """Answer a request to one of the probes, or that there is no such page."""
        path = scope["path"]
        if path == "/healthz":
            await _send(send, 200, b"ok\n")
        elif path == "/readyz":
            wanting = await self._wanting()
            await _send(send, 503 if wanting else 200, f"{wanting or 'ok'}\n".encode())
        elif path == "/metrics" and metrics:
            accept = next((value.decode("latin-1") for key, value in scope["headers"] if key == b"accept"), "")
            encode, content_type = choose_encoder(accept)
            await _send(send, 200, encode(self._metrics.registry), [(b"content-type", content_type.encode())])
        else:
            await _send(send, 404, b"there is /mutate on the TLS port, and /healthz, /readyz, /metrics\n")

    async def _wanting(self) -> str:
        if self.stopping:
            return "stopping"
        if not self._store.synced:
            return "policies and namespaces are not all read yet"
        return await self._distrust() if self._distrust else ""


class Admission:
    """``POST /mutate``, and the probes."""

    def __init__(self, store: Store, metrics: AdmissionMetrics, probes: Probes) -> None:
        answers = Answers(store)
        metrics.repeats(lambda: answers.repeated)
        self._answer = answers.answer
        self._metrics = metrics
        self._probes = probes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request; to a review always with HTTP 200 and ``allowed: true``."""
        if scope["type"] != "http":
            return
        if scope["path"] != "/mutate":
            await self._probes.answer(scope, send, metrics=False)
        elif scope["method"] != "POST":
            await _send(send, 405, b"POST an AdmissionReview\n", [(b"allow", b"POST")])
        else:
            await self._mutate(receive, send)

    async def _mutate(self, receive: Receive, send: Send) -> None:
        body, whole = await _read(receive)
        if body is None:
            return
        begun = time.perf_counter()
        made = self._answer(body) if whole else unreadable(body, ValueError(f"the request is larger than {LARGEST} bytes"))
        self._metrics.reviewed(made.reason, time.perf_counter() - begun, namespace=made.namespace)
        if made.reason.decision == "failed":
            _log(made)
        await _send(send, 200, made.body, _JSON)


async def _read(receive: Receive) -> tuple[bytes | None, bool]:
    """The body and whether it is whole; none when the client has gone. What is too large is read but not kept."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        return body, len(body) <= LARGEST
    parts: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        part: bytes = message.get("body", b"")
        size += len(part)
        if size <= LARGEST:
            parts.append(part)
        if not message.get("more_body"):
            return b"".join(parts), size <= LARGEST
        message = await receive()
    return None, False


async def _send(send: Send, status: int, body: bytes, headers: Headers = _TEXT) -> None:
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _log(made: Answer) -> None:
    # Never the request itself: a pod's environment holds secrets.
    if isinstance(made.error, ValueError | RecursionError) or made.error is None:
        logger.warning("review %s: %s: %s", made.uid or "without uid", made.reason.value, made.error or made.reason.sentence)
    else:
        logger.error("review %s: %s", made.uid or "without uid", made.reason.value, exc_info=made.error)
