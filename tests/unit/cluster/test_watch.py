"""A watch that keeps nothing: where it goes on after a lost connection, and when it says that something went by unseen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from llmobs.cluster import watch
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Expired
from llmobs.cluster.kinds import POD
from llmobs.kit.errors import NotYet


class Ended(Exception):
    """The script of a fake server has come to its end."""


class Server:
    """Answers each watch by the next line of its script: events, then an error or none."""

    def __init__(self, *script: tuple[list[int], Exception | None]) -> None:
        self.script = list(script)
        self.asked: list[str] = []
        self.newest = 100

    async def request(self, *_: Any, **__: Any) -> Manifest:
        return {"metadata": {"resourceVersion": str(self.newest)}}

    async def watch(self, *_: Any, since: str, **__: Any) -> AsyncIterator[tuple[str, Manifest]]:
        self.asked.append(since)
        if not self.script:
            raise Ended
        versions, error = self.script.pop(0)
        for version in versions:
            yield "DELETED", {"metadata": {"resourceVersion": str(version)}}
        if error is not None:
            raise error


def seen(server: Server, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int]:
    """The versions that were told, and how often something was said to be missed."""
    told: list[str] = []
    missed: list[None] = []

    async def at_once(_: float) -> None:
        return

    monkeypatch.setattr(watch.asyncio, "sleep", at_once)

    def tell(_: str, item: Manifest) -> None:
        told.append(item["metadata"]["resourceVersion"])

    with pytest.raises(Ended):
        asyncio.run(watch.notice(cast("Client", server), POD, labels="x=y", tell=tell, missed=lambda: missed.append(None)))
    return told, len(missed)


def test_a_lost_connection_is_resumed_where_it_broke_off(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(([101, 105], NotYet("lost")), ([], NotYet("away")), ([106], None))
    assert seen(server, monkeypatch) == (["101", "105", "106"], 0)
    assert server.asked == ["100", "105", "105", "106"]


def test_a_version_that_is_too_old_begins_anew_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(([101], Expired("gone", delay=0.0)), ([107], None))
    assert seen(server, monkeypatch) == (["101", "107"], 1)
    assert server.asked == ["100", "100", "107"]


def test_a_server_that_never_takes_the_version_is_begun_anew_with(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ([], NotYet("Too large resource version"))
    server = Server(([101], None), refused, refused, refused, refused)
    server.newest = 7
    assert seen(server, monkeypatch) == (["101"], 1)
    assert server.asked == ["7", "101", "101", "101", "101", "7"]
