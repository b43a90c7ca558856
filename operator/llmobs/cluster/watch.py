"""List, then watch for ever: bookmarks, expired versions, lost connections and a slow re-list against what was missed."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import NoReturn

from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Expired, Refused
from llmobs.cluster.kinds import Resource, within
from llmobs.kit.errors import NotYet

RELIST = 600.0
"""Seconds after which a kind is listed anew, whatever the watch has told."""
_FIRST, _LONGEST = 0.5, 30.0
_RESUMES = 3
"""Failures in a row after which a watch is begun anew."""

logger = logging.getLogger(__name__)

Listed = Callable[[list[Manifest]], None]
Changed = Callable[[str, Manifest], None]
Beat = Callable[[str], None]


async def follow(
    client: Client,
    kind: Resource,
    *,
    listed: Listed,
    changed: Changed,
    beat: Beat = lambda _: None,
    barred: Callable[[], None] = lambda: None,
    place: str = "",
) -> NoReturn:
    """Keep somebody informed of every object of a kind, everywhere or in one namespace (``place``).

    ``listed`` gets the whole truth, ``changed`` one event (ADDED, MODIFIED, DELETED) at a time, ``beat`` the plural
    whenever the stream has proven to be alive; ``barred`` is called whenever there is no right to look.
    """
    failures = 0
    while True:
        try:
            items, since = await client.list(kind, **within(kind, place))
            listed(items)
            beat(kind.plural)
            failures = 0
            await _watch(client, kind, since, changed, beat, place=place)
        except Expired:
            continue
        except (NotYet, Refused) as error:
            failures += 1
            if isinstance(error, Refused) and error.status == 403:
                barred()
            delay = pause(failures)
            logger.warning("watch of %s%s: %s; again in %.1f s", kind.plural, place and f" in {place}", error, delay)
            await asyncio.sleep(delay)


async def _watch(client: Client, kind: Resource, since: str, changed: Changed, beat: Beat, *, place: str) -> None:
    until = time.monotonic() + RELIST * random.uniform(0.9, 1.1)
    stream = partial(client.watch, kind, **within(kind, place))
    await _resumed(stream, kind, since, changed, beat=beat, more=lambda: time.monotonic() < until)


async def _resumed(
    stream: Callable[..., AsyncIterator[tuple[str, Manifest]]],
    kind: Resource,
    since: str,
    changed: Changed,
    *,
    beat: Beat = lambda _: None,
    more: Callable[[], bool] = lambda: True,
) -> None:
    """Hand on every event from ``since`` on; a lost connection goes on where it broke off. Raises what can't be resumed."""
    failures = 0
    while more():
        try:
            async for event, item in stream(since=since):
                beat(kind.plural)
                failures = 0
                since = _told(event, item, changed) or since
        except Expired:
            raise
        except NotYet as error:
            failures += 1
            if failures > _RESUMES:  # such as a server that was restored to an older state, which knows no version so new
                raise
            logger.info("watch of %s: %s; resuming", kind.plural, error)
            await asyncio.sleep(pause(failures))


def _told(event: str, item: Manifest, changed: Changed) -> str:
    """Hand one event on; returns the version to go on from."""
    if event == "ERROR":
        said = f"the API server ended the watch: {item.get('message', 'no reason given')}"
        raise Expired(said, delay=0.0) if item.get("code") == 410 else NotYet(said)
    if event != "BOOKMARK":
        changed(event, item)
    return str(item["metadata"].get("resourceVersion", ""))


async def notice(
    client: Client, kind: Resource, *, labels: str, tell: Changed, missed: Callable[[], None], namespace: str = ""
) -> NoReturn:
    """Tell of changes from now on, of labels and annotations only, and remember nothing: for kinds that are too many to keep.

    A lost connection is resumed where it broke off; ``missed`` is called when that is no longer possible.
    """
    failures, begun = 0, False
    stream = partial(client.watch, kind, labels=labels, namespace=namespace, metadata_only=True)
    while True:
        try:
            since = await _newest(client, kind, labels, namespace)
            if begun:  # after that look for a version, or what happens before it would still go by
                missed()
            begun, failures = True, 0
            await _resumed(stream, kind, since, tell)
        except Expired:
            continue
        except (NotYet, Refused) as error:
            failures += 1
            absent = isinstance(error, Refused) and error.status == 404  # such as prometheus-operator's kinds
            logger.log(logging.DEBUG if absent else logging.INFO, "watch of %s: %s", kind.plural, error)
            await asyncio.sleep(pause(failures))


async def _newest(client: Client, kind: Resource, labels: str, namespace: str) -> str:
    page = await client.request("GET", kind.path(namespace=namespace), query=[("limit", "1"), ("labelSelector", labels)])
    return str(page["metadata"]["resourceVersion"])


def pause(failures: int) -> float:
    """Seconds to wait before try number ``failures`` + 1: doubling, bounded, with jitter so that a fleet does not come at once."""
    return min(_LONGEST, _FIRST * float(2 ** min(failures - 1, 10))) * random.uniform(0.5, 1.0)
