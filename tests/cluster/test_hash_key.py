"""The key of hashed texts: made with the rights that the chart gives, where a policy asks for it, and never changed."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from llmobs.api import names
from llmobs.cluster.hashkey import keep

from tests.cluster.apiserver import ApiServer, until
from tests.cluster.client import act
from tests.cluster.installation import SYSTEM
from tests.cluster.world import GATEWAY, World

pytestmark = pytest.mark.apiserver

SECRET = f"/api/v1/namespaces/{SYSTEM}/secrets/{names.HASH_KEY}"
LIMITS = {"limits": {"content": {"maxCapture": "Hash"}}}


def variables(world: World) -> list[Any]:
    pod = world.server.get(GATEWAY)["spec"]["template"]["spec"]
    return [item for part in ("initContainers", "containers") for item in pod[part][0]["env"] if item["name"] == "LLMOBS_HASH_KEY"]


def test_it_is_made_when_a_policy_asks_and_then_stays(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace, {"content": {"capture": "Hash"}})
    world.condition(path, "Accepted", "True", "Restricted")
    assert (world.server.get(SECRET), variables(world)) == (None, [])

    fleet = world.cluster_wide("clusterllmobservabilities", "ClusterLLMObservability", LIMITS, "hashing")
    made = until("the key is there", lambda: world.server.get(SECRET))
    assert re.fullmatch("[0-9a-f]{64}", base64.b64decode(made["data"]["key"]).decode())
    assert "ownerReferences" not in made["metadata"]
    source = {"secretKeyRef": {"name": names.HASH_KEY, "key": "key"}}
    until("both containers have it", lambda: [item["valueFrom"] for item in variables(world)] == [source] * 2)
    assert "hmac-sha256" in world.gateway_configuration()

    world.server.delete(fleet)
    until("nobody hashes any more", lambda: variables(world) == [])
    assert world.server.get(SECRET)["data"] == made["data"]


def test_one_that_is_there_is_left_alone(apiserver: ApiServer, namespace: str) -> None:
    assert act(apiserver, lambda client: keep(client, namespace)) is True
    path = f"/api/v1/namespaces/{namespace}/secrets/{names.HASH_KEY}"
    before = apiserver.get(path)
    assert act(apiserver, lambda client: keep(client, namespace)) is False
    assert apiserver.get(path) == before
