"""What concerns many namespaces is done between requests, and none waits for all of it."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from llmobs.inject.compiled import Platform
from llmobs.webhook import store as stores
from llmobs.webhook.store import FLEET, KINDS, LIMIT_RANGE, NAMESPACE, POLICY, Store
from llmobs.webhook.turns import Work, between_requests

from tests.unit.webhook.service import policy

NAMES = [f"team-{number}" for number in range(5)]


def bodies(kind: str) -> list[dict[str, Any]]:
    if kind == POLICY:
        return [policy("p", name) for name in NAMES]
    return [{"metadata": {"name": name}} for name in NAMES] if kind == NAMESPACE else []


def fleet(team: str) -> dict[str, Any]:
    return {"metadata": {"name": "fleet"}, "spec": {"defaults": {"attributes": {"team": team}}}}


def filled(schedule: Callable[[Work], None] | None = None) -> Store:
    made = Store(Platform(), schedule=schedule) if schedule else Store(Platform())
    for kind in KINDS:
        made.replace(kind, bodies(kind))
    return made


def teams(store: Store) -> list[str]:
    return [store.namespace(name).policies[0].attributes.get("team", "") for name in NAMES]


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    real = stores.compiled
    monkeypatch.setattr(stores, "compiled", lambda policy, platform: (made.append(policy.key), real(policy, platform))[1])
    return made


def test_a_list_that_tells_nothing_new_changes_nothing() -> None:
    store = filled()
    before = [store.namespace(name) for name in NAMES]

    for kind in KINDS:
        store.replace(kind, bodies(kind))

    assert all(store.namespace(name) is known for name, known in zip(NAMES, before, strict=True))


def test_a_list_changes_what_it_tells_otherwise() -> None:
    store = filled()
    before = {name: store.namespace(name) for name in NAMES}
    ranges = {"metadata": {"name": "r", "namespace": NAMES[3]}, "spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}}

    store.replace(POLICY, [policy("p", NAMES[0], attributes={"team": "x"}), *bodies(POLICY)[2:]])
    store.replace(LIMIT_RANGE, [ranges])

    assert [name for name in NAMES if store.namespace(name) is not before[name]] == [NAMES[0], NAMES[1], NAMES[3]]
    assert (store.namespace(NAMES[0]).policies[0].attributes, store.namespace(NAMES[1]).policies) == ({"team": "x"}, ())
    assert "cpu" in store.namespace(NAMES[3]).ranges


def test_a_request_finds_what_applies_now_before_its_turn_and_all_have_theirs(compilations: list[str]) -> None:
    waiting: list[Work] = []
    store = filled(waiting.append)
    [work] = waiting
    assert store.synced
    assert compilations == []
    assert store.namespace(NAMES[2]).policies, "asked for before its turn"
    assert compilations == [f"{NAMES[2]}/p"]
    while work():
        pass
    assert sorted(compilations) == [f"{name}/p" for name in NAMES]

    compilations.clear()
    store.put(FLEET, fleet("a"))
    store.put(FLEET, fleet("b"))
    assert len(waiting) == 2, "one round of work, whatever comes meanwhile"
    assert store.namespace(NAMES[4]).policies[0].attributes == {"team": "b"}
    while work():
        pass
    assert compilations[0] == f"{NAMES[4]}/p"
    assert len(compilations) == len(NAMES)
    assert teams(store) == ["b"] * len(NAMES)


def test_each_turn_of_the_loop_takes_one_namespace(compilations: list[str]) -> None:
    async def turns() -> list[int]:
        filled(between_requests)
        seen = [len(compilations)]
        while len(compilations) < len(NAMES):
            await asyncio.sleep(0)
            seen.append(len(compilations))
        await asyncio.sleep(0)
        return seen

    try:
        seen = asyncio.run(turns())
        assert max(after - before for before, after in itertools.pairwise(seen)) == 1
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


def test_what_fails_for_one_namespace_leaves_it_as_it_was_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real = stores.compiled

    def broken(policy: Any, platform: Any) -> Any:
        if policy.key == f"{NAMES[1]}/p" and policy.spec.attributes:
            raise KeyError("a mistake")
        return real(policy, platform)

    async def edited() -> Store:
        store = filled(between_requests)
        await asyncio.sleep(0)
        assert teams(store) == [""] * len(NAMES)
        store.put(FLEET, fleet("a"))
        for _ in range(2 * len(NAMES) + 2):
            await asyncio.sleep(0)
        return store

    monkeypatch.setattr(stores, "compiled", broken)
    try:
        with caplog.at_level(logging.ERROR):
            store = asyncio.run(edited())
        assert teams(store) == ["a", "", "a", "a", "a"]
        assert "a mistake" in caplog.text
        assert gc.isenabled()
    finally:
        gc.unfreeze()
