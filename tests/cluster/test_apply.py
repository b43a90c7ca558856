"""Apply, prune, status, events and certificates against the real API server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llmobs.api import names
from llmobs.cluster.apply import apply
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.events import Recorder
from llmobs.cluster.facts import facts, ready
from llmobs.cluster.installation import broken, owners, reference
from llmobs.cluster.kinds import CONFIG_MAP, POLICY, POLICY_KINDS, Ref
from llmobs.cluster.live import live
from llmobs.cluster.prune import orphans, prune
from llmobs.cluster.status import write
from llmobs.cluster.watch import follow

from tests.cluster.apiserver import DEADLINE, ApiServer, until
from tests.cluster.client import act

pytestmark = pytest.mark.apiserver


def config_map(namespace: str, name: str = "one", *, owner: str = "u-1", **data: str) -> Manifest:
    meta = {"name": name, "namespace": namespace, "labels": names.labels(owner, "dashboards")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data or {"a": "1"}}


async def seen(client: Client, namespace: str, owner: str = "u-1") -> dict[Ref, Manifest]:
    return await live(client, POLICY_KINDS, owner=owner, namespace=namespace, prometheus=False)


def put(server: ApiServer, *manifests: Manifest, owner: str = "u-1") -> int:
    async def do(client: Client) -> int:
        return await apply(client, manifests, await seen(client, manifests[0]["metadata"]["namespace"], owner), {})

    return act(server, do)


def stored(server: ApiServer, namespace: str, name: str = "one") -> Any:
    return server.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")


def test_what_is_in_place_is_not_written_again(apiserver: ApiServer, namespace: str) -> None:
    assert put(apiserver, config_map(namespace)) == 1
    version = stored(apiserver, namespace)["metadata"]["resourceVersion"]
    assert put(apiserver, config_map(namespace)) == 0
    assert stored(apiserver, namespace)["metadata"]["resourceVersion"] == version


def test_a_change_is_written_and_what_left_the_plan_goes(apiserver: ApiServer, namespace: str) -> None:
    put(apiserver, config_map(namespace, a="1", b="2"))
    assert put(apiserver, config_map(namespace, a="3")) == 1
    assert stored(apiserver, namespace)["data"] == {"a": "3"}


def test_drift_is_undone_and_what_others_added_stays(apiserver: ApiServer, namespace: str) -> None:
    put(apiserver, config_map(namespace))
    path = f"/api/v1/namespaces/{namespace}/configmaps/one"
    apiserver.merge(path, {"data": {"a": "hand"}, "metadata": {"labels": {"theirs": "kept"}}})
    assert put(apiserver, config_map(namespace)) == 1
    found = stored(apiserver, namespace)
    assert found["data"] == {"a": "1"}
    assert found["metadata"]["labels"]["theirs"] == "kept"


def test_an_object_of_somebody_else_is_never_taken_over(apiserver: ApiServer, namespace: str) -> None:
    apiserver.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "one"}, "data": {"a": "theirs"}})
    with pytest.raises(Refused, match=f"ConfigMap {namespace}/one exists and was not made by this operator"):
        put(apiserver, config_map(namespace))
    assert stored(apiserver, namespace)["data"] == {"a": "theirs"}


def test_what_refers_to_others_is_not_applied_without_them(apiserver: ApiServer, namespace: str) -> None:
    broken_map = config_map(namespace, "Not_A_Name")
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": namespace, "labels": names.labels("u-1", "gateway")},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}},
        },
    }
    with pytest.raises(Refused):
        put(apiserver, deployment, broken_map)
    assert apiserver.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/d") is None


def test_prune_deletes_what_is_ours_and_unplanned_and_nothing_else(apiserver: ApiServer, namespace: str) -> None:
    put(apiserver, config_map(namespace, "old"), config_map(namespace, "new"))
    put(apiserver, config_map(namespace, "neighbour", owner="u-2"), owner="u-2")
    apiserver.create(f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "theirs", "labels": {names.OWNER: "u-1"}}})

    async def do(client: Client) -> int:
        return await prune(client, await seen(client, namespace), {Ref("ConfigMap", namespace, "new")})

    assert act(apiserver, do) == 1
    left = {item["metadata"]["name"] for item in apiserver.get(f"/api/v1/namespaces/{namespace}/configmaps")["items"]}
    assert {"new", "neighbour", "theirs"} <= left
    assert "old" not in left


def test_what_was_made_for_a_resource_that_is_gone_is_found(apiserver: ApiServer, namespace: str) -> None:
    put(apiserver, config_map(namespace, "kept"))
    put(apiserver, config_map(namespace, "orphan", owner="u-gone"), owner="u-gone")
    put(apiserver, config_map(namespace, "shared", owner="fleet"), owner="fleet")

    async def do(client: Client) -> set[str]:
        found = await live(client, [CONFIG_MAP], namespace=namespace, prometheus=False)
        return {item.name for item in orphans(found, {"u-1"})}

    assert act(apiserver, do) == {"orphan"}


def test_children_go_with_the_resource_that_owns_them(apiserver: ApiServer, namespace: str) -> None:
    apiserver.controllers()
    collection = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities"
    made = apiserver.create(
        collection, {"apiVersion": names.API_VERSION, "kind": "LLMObservability", "metadata": {"name": "p"}, "spec": {}}
    )

    async def do(client: Client) -> int:
        return await apply(client, [config_map(namespace)], {}, {True: reference(made)})

    assert act(apiserver, do) == 1
    apiserver.delete(f"{collection}/p")
    until("the garbage collector takes the child", lambda: stored(apiserver, namespace) is None)


def test_status_is_written_when_it_differs(apiserver: ApiServer, namespace: str) -> None:
    collection = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities"
    body = apiserver.create(
        collection, {"apiVersion": names.API_VERSION, "kind": "LLMObservability", "metadata": {"name": "p"}, "spec": {}}
    )

    async def do(client: Client) -> list[bool]:
        first = await write(client, body, {"injected": "1/2", "pods": {"matched": 2}})
        there = await client.get(POLICY, "p", namespace=namespace)
        assert there is not None
        return [
            first,
            await write(client, there, {"injected": "1/2", "pods": {"matched": 2}}),
            await write(client, there, {"injected": "2/2"}),
        ]

    assert act(apiserver, do) == [True, False, True]
    found = apiserver.get(f"{collection}/p")
    assert found["status"] == {"injected": "2/2"}
    assert found["metadata"]["generation"] == 1


def test_the_same_event_is_posted_once(apiserver: ApiServer, namespace: str) -> None:
    collection = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities"
    body = apiserver.create(
        collection, {"apiVersion": names.API_VERSION, "kind": "LLMObservability", "metadata": {"name": "p"}, "spec": {}}
    )

    async def do(client: Client) -> list[bool]:
        recorder = Recorder(client)
        return [await recorder.warn(body, reason="Shadowed", message=text) for text in ("a", "a", "b")]

    assert act(apiserver, do) == [True, False, True]
    events = apiserver.get(f"/api/v1/namespaces/{namespace}/events")["items"]
    assert sorted(item["message"] for item in events) == ["a", "b"]
    assert {item["involvedObject"]["uid"] for item in events} == {body["metadata"]["uid"]}


def test_facts_tell_what_the_server_serves(apiserver: ApiServer) -> None:
    assert act(apiserver, ready) is True
    found = act(apiserver, lambda client: facts(client, "x"))
    assert found.prometheus_operator is False
    told = apiserver.get("/version")
    assert found.version == (int(told["major"]), int(told["minor"]))


def test_without_the_chart_nothing_owns_and_nothing_injects(apiserver: ApiServer, namespace: str) -> None:
    assert act(apiserver, lambda client: owners(client, namespace)) == {}
    said = act(apiserver, lambda client: broken(client, namespace))
    assert said is not None
    assert "there is no MutatingWebhookConfiguration llmobs-webhook" in said


def test_many_watches_leave_room_for_requests(apiserver: ApiServer, namespace: str) -> None:
    """One for each kind and namespace: a client with a bound on connections would wait for ever with the hundredth."""
    many = 130

    async def do(client: Client) -> int:
        seen: set[int] = set()
        everybody = asyncio.Event()
        since = (await client.list(CONFIG_MAP, namespace=namespace))[1]

        async def watching(number: int) -> None:
            async for _ in client.watch(CONFIG_MAP, since=since, namespace=namespace):
                seen.add(number)
                if len(seen) == many:
                    everybody.set()

        tasks = [asyncio.create_task(watching(number)) for number in range(many)]
        try:
            async with asyncio.timeout(DEADLINE):
                await client.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": namespace}})
                await everybody.wait()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return len(seen)

    assert act(apiserver, do) == many


def test_a_watch_stays_true_through_the_server_going_away(apiserver: ApiServer, namespace: str) -> None:
    collection = f"/api/v1/namespaces/{namespace}/configmaps"

    async def do(client: Client) -> None:
        known: set[str] = set()
        moved = asyncio.Event()

        def listed(items: list[Manifest]) -> None:
            known.clear()
            for item in items:
                changed("ADDED", item)
            moved.set()

        def changed(event: str, item: Manifest) -> None:
            if item["metadata"]["namespace"] == namespace and item["metadata"]["name"] in ("a", "b"):
                (known.discard if event == "DELETED" else known.add)(item["metadata"]["name"])
            moved.set()

        async def knows(names_: set[str]) -> None:
            while known != names_:
                moved.clear()
                await asyncio.wait_for(moved.wait(), 60)

        task = asyncio.create_task(follow(client, CONFIG_MAP, listed=listed, changed=changed, beat=lambda _: None))
        await asyncio.wait_for(moved.wait(), 30)
        await asyncio.to_thread(apiserver.create, collection, {"metadata": {"name": "a"}})
        await knows({"a"})
        await asyncio.to_thread(apiserver.stop)
        await asyncio.to_thread(apiserver.start)
        await asyncio.to_thread(apiserver.create, collection, {"metadata": {"name": "b"}})
        await knows({"a", "b"})
        await asyncio.to_thread(apiserver.delete, f"{collection}/a")
        await knows({"b"})
        task.cancel()

    act(apiserver, do)
