"""Which objects are nobody's any more, and which configurations are still in use."""

import asyncio
from typing import Any

from llmobs.cluster.errors import Expired, Refused, failure
from llmobs.cluster.kinds import Ref, Resource
from llmobs.cluster.prune import in_use, orphans
from llmobs.cluster.watch import pause
from llmobs.kit.errors import NotYet


def test_orphans_are_what_belongs_to_nobody_alive() -> None:
    def made(owner: str) -> dict[str, Any]:
        return {"metadata": {"labels": {"llmobs.dev/owner": owner}}}

    live = {Ref("ConfigMap", "n", owner): made(owner) for owner in ("fleet", "alive", "gone")}
    assert {name.name for name in orphans(live, {"alive"})} == {"gone"}


class Lists:
    """A client that lists what it was given of each kind."""

    def __init__(self, **items: list[dict[str, Any]]) -> None:
        self.items = items

    async def list(self, kind: Resource, **_: Any) -> tuple[list[dict[str, Any]], str]:
        return self.items[kind.kind], "1"


def test_a_configuration_that_a_replica_set_or_a_pod_mounts_is_in_use() -> None:
    def replica_set(*volumes: dict[str, Any]) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"volumes": list(volumes)}}}}

    sets = [
        replica_set({"name": "config", "configMap": {"name": "a"}}, {"name": "tmp", "emptyDir": {}}),
        replica_set({"name": "all", "projected": {"sources": [{"configMap": {"name": "b"}}, {"secret": {"name": "s"}}]}}),
        {"spec": {"template": {"spec": {}}}},
    ]
    pods = [{"spec": {"volumes": [{"name": "config", "configMap": {"name": "c"}}]}}, {"spec": {}}]
    client: Any = Lists(ReplicaSet=sets, Pod=pods)
    assert asyncio.run(in_use(client, "n")) == {Ref("ConfigMap", "n", name) for name in "abc"}


def test_answers_that_are_worth_another_try_are_told_from_those_that_are_not() -> None:
    assert isinstance(failure(403, {"message": "no"}, what="x"), Refused)
    assert isinstance(failure(410, {}, what="x"), Expired)
    patient = failure(429, {"message": "slowly"}, what="GET /x", retry_after="7")
    assert isinstance(patient, NotYet)
    assert (patient.delay, patient.message) == (7.0, "GET /x: slowly (429)")


def test_pauses_grow_and_are_bounded() -> None:
    assert 0.2 < pause(1) <= 0.5
    assert all(pause(count) <= 30 for count in range(1, 2000))
    assert pause(20) >= 15
