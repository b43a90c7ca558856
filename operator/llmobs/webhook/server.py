"""The webhook's process: two ports, one event loop, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from llmobs.inject.compiled import Platform
from llmobs.kit.errors import Invalid
from llmobs.telemetry.admission import AdmissionMetrics
from llmobs.webhook.app import Admission, Probes
from llmobs.webhook.certificate import Files, ServingCertificate
from llmobs.webhook.patience import Connection, sweep
from llmobs.webhook.store import Place, Source, Store
from llmobs.webhook.trust import doubt
from llmobs.webhook.turns import between_requests

KEEP_ALIVE = 120
"""Seconds an idle connection stays: longer than the API server keeps it, so that it never writes into one we just closed."""
GRACE = 10
"""Seconds that requests under way get at the end."""
BACKLOG = 2048

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to serve; port 0 takes a free one, ``host`` empty means every address of the machine."""

    certificate: Path
    key: Path
    port: int
    metrics_port: int
    host: str = ""


def serve(source: Source, platform: Platform, options: Options, *, listening: Callable[[int, int], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``listening`` is told both ports once they take connections.

    Raises :class:`Invalid` for files or ports that cannot be used; whatever else ends the source ends the process.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(source, platform, options, listening))


async def _serve(source: Source, platform: Platform, options: Options, listening: Callable[[int, int], None]) -> None:
    store = Store(platform, refused=_refused, schedule=between_requests)
    metrics = AdmissionMetrics(policies=lambda: store.policies, problems=lambda: len(store.problems), synced=lambda: store.synced)
    certificate = ServingCertificate(Files(options.certificate, options.key), expires=metrics.serves_until)
    probes = Probes(store, metrics, distrust=partial(doubt, certificate.context, store))
    with _listen(options.host, options.port) as public, _listen(options.host, options.metrics_port) as plain:
        servers = (
            (http_server(Admission(store, metrics, probes), context=certificate.context), public),
            (http_server(probes), plain),
        )
        stop = _stop_on_signal()
        lasting = [source.run(store), certificate.follow(), *(sweep(server.server_state.connections) for server, _ in servers)]
        work = [asyncio.create_task(item) for item in lasting]
        tasks = [asyncio.create_task(server.serve(sockets=[taken])) for server, taken in servers]
        # One turn of the loop: a source that reads files has read them by now, or failed.
        await asyncio.sleep(0)
        if not work[0].done():
            listening(public.getsockname()[1], plain.getsockname()[1])
        await asyncio.wait([stop, *work, *tasks], return_when=asyncio.FIRST_COMPLETED)
        probes.stopping = True
        await _end(servers, tasks, work)


async def _end(servers: Any, tasks: list[asyncio.Task[None]], work: list[asyncio.Task[None]]) -> None:
    """Let requests finish, the public port first, then raise what ended the work, if it was an error."""
    logger.info("stopping")
    for (server, _), task in zip(servers, tasks, strict=True):
        server.should_exit = True
        await task
    for task in work:
        task.cancel()
    for task in work:
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _stop_on_signal() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: None if stop.done() else stop.set_result(None))
    return stop


class _Server(uvicorn.Server):
    """A server among others: signals are for the process."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def http_server(app: Any, *, context: ssl.SSLContext | None = None) -> uvicorn.Server:
    """A server for an ASGI application, over TLS where there is a context; its caller hands it a listening socket."""
    factory = None if context is None else (lambda _config, _default: context)
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
        backlog=BACKLOG,
        ssl_context_factory=factory,
    )
    return _Server(config)


def _listen(host: str, port: int) -> socket.socket:
    try:
        if host:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        if socket.has_dualstack_ipv6():
            return socket.create_server(("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG)
        return socket.create_server(("", port), backlog=BACKLOG)
    except (OSError, OverflowError) as error:
        raise Invalid("", f"cannot listen on {host or 'every address'}, port {port}: {error}") from error


def _refused(where: Place, invalid: Invalid) -> None:
    logger.error("%s is not accepted, what it said before keeps applying: %s", where, invalid)
