"""The controller as a process: the queue and its workers, the watches, the port for machines; or one pass and out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import kopf

from llmobs.api import names
from llmobs.api.settings import Settings
from llmobs.cluster.client import connected
from llmobs.cluster.errors import Refused
from llmobs.cluster.events import Recorder
from llmobs.cluster.facts import facts, ready
from llmobs.cluster.kinds import POLICY
from llmobs.handlers import applied, certificates, fleet, policy, watches
from llmobs.handlers.context import CERTIFICATES, HEALTH, REFRESH, VERDICTS, Context, Task
from llmobs.handlers.queue import Queue
from llmobs.handlers.reader import Lists, Reader
from llmobs.handlers.refresh import refresh
from llmobs.kit.errors import Invalid, NotYet
from llmobs.prices.table import PriceTable, table
from llmobs.telemetry.controller import Metrics
from llmobs.telemetry.server import serving

WORKERS = 4
LONGEST = 5.0
"""Seconds for which a stream of edits puts off what is made of them."""
WAIT = 2.0
"""Seconds between looks for our custom resource definitions."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run."""

    settings: Settings
    namespace: str
    kubeconfig: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 - probes and scrapes come from other machines
    port: int = 8080


async def run(options: Options) -> int:
    """Run until a signal comes; the result is the exit status."""
    async with _prepared(options) as (context, queue), _port(options, context) as port:
        logger.info("metrics, /healthz and /readyz on port %d", port)
        await _known(context)
        stopped = asyncio.Event()
        workers: list[asyncio.Task[None]] = [asyncio.create_task(_work(context, queue)) for _ in range(WORKERS)]
        workers.append(asyncio.create_task(watches.noticed(context)))
        if options.settings.watch.namespaces:
            workers.append(asyncio.create_task(watches.followed(context)))
        for worker in workers:
            worker.add_done_callback(lambda _: stopped.set())
        context.ask(REFRESH, 0.0)
        try:
            await kopf.operator(
                registry=watches.registry(context),
                settings=watches.settings(),
                clusterwide=True,
                standalone=True,
                # the default asks for the user's name, which a numeric user in a container lacks; kopf does not export the type
                identity=names.OPERATOR,  # type: ignore[arg-type]
                stop_flag=stopped,
            )
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
    return 0


async def once(options: Options) -> int:
    """One full pass over everything; 1 when something could not be applied, 0 otherwise."""
    async with _prepared(options) as (context, _):
        await refresh(context)
        await certificates.reconcile(context)
        again = [await fleet.reconcile(context)]
        await fleet.health(context)
        again += [await policy.reconcile(context, where) for where in list(context.world.of(POLICY.kind))]
        for item in context.view().inputs.stand_ins:
            await applied.reconcile(context, item.identity.namespace)
        await fleet.verdicts(context)
        return 0 if all(delay is None for delay in again) else 1


@asynccontextmanager
async def _prepared(options: Options) -> AsyncIterator[tuple[Context, Queue[Task]]]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(connected(options.kubeconfig))
        metrics: Metrics = Metrics()
        queue: Queue[Task] = Queue()
        metrics.queue.set_function(lambda: len(queue))
        metrics.oldest.set_function(lambda: queue.lag)
        context = Context(
            client=client,
            settings=options.settings,
            namespace=options.namespace,
            reader=Reader(options.settings, priced),
            recorder=Recorder(client),
            metrics=metrics,
            ask=lambda task, delay: queue.add(task, delay=delay),
            gather=lambda task, quiet: queue.gather(task, quiet=quiet, longest=LONGEST),
        )
        yield context, queue


@asynccontextmanager
async def _port(options: Options, context: Context) -> AsyncIterator[int]:
    def is_ready() -> str | None:
        return None if context.planned else "not everything has been read and applied yet"

    async with serving(context.metrics.registry, host=options.host, port=options.port, alive=lambda: None, ready=is_ready) as port:
        yield port


async def _known(context: Context) -> None:
    """Wait until the API server serves our kinds: what is unknown when the watches start is never watched."""
    while True:
        try:
            if await ready(context.client):
                context.facts = await facts(context.client, context.namespace)
                return
            logger.warning("the API server does not know our kinds yet; apply the CustomResourceDefinitions")
        except NotYet as error:
            logger.warning("%s", error)
        await asyncio.sleep(WAIT)


async def _work(context: Context, queue: Queue[Task]) -> None:
    async def do(task: Task) -> float | None:
        with context.metrics.duration.labels(task.kind).time():
            return await _done(context, task)

    def failed(task: Task, error: Exception) -> None:
        cause = "NotYet" if isinstance(error, NotYet) else type(error).__name__
        context.metrics.errors.labels(task.kind, cause).inc()
        expected = isinstance(error, NotYet | Refused)
        logger.warning("%s %s: %s", task.kind, "/".join(task.where).strip("/"), error, exc_info=None if expected else error)

    await queue.work(do, failed)


async def _done(context: Context, task: Task) -> float | None:
    if context.refreshed is None and task != REFRESH:
        return None  # watches tell of one resource after the other; before all are known, nothing may be planned or pruned
    if task.kind == "Policy":
        return await policy.reconcile(context, task.where)
    if task.kind == "StandIn":
        await applied.reconcile(context, task.where.namespace)
        return None
    if task == VERDICTS:
        await fleet.verdicts(context)
        return None
    if task == REFRESH:
        return await refresh(context)
    if task == HEALTH:
        return await fleet.health(context)
    if task == CERTIFICATES:
        return await certificates.reconcile(context)
    return await fleet.reconcile(context)


def priced(lists: Lists, now: datetime) -> tuple[PriceTable, Mapping[str, Invalid]]:
    """The price table of a moment, and why lists are not in it."""
    made = table(lists, at=now)
    return made, made.refused
