"""Gateways of single policies: made with the rights that the chart gives for them, and gone when they are no longer asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.apiserver import until
from tests.cluster.world import World, running

pytestmark = pytest.mark.apiserver

DEDICATED = {
    "collector": {"mode": "Dedicated"},
    "backends": [{"name": "own", "otlp": {"endpoint": "https://x.example.com", "credentialsSecretRef": {"name": "mine"}}}],
}
OBJECTS = {
    "serviceaccounts": "/api/v1",
    "services": "/api/v1",
    "deployments": "/apis/apps/v1",
    "roles": "/apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "/apis/rbac.authorization.k8s.io/v1",
    "networkpolicies": "/apis/networking.k8s.io/v1",
    "poddisruptionbudgets": "/apis/policy/v1",
}


@pytest.fixture(scope="module")
def offering(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("dedicated"), "--set=dedicated.enabled=true", dedicated={"enabled": True}) as made:
        yield made


def found(world: World, namespace: str) -> dict[str, Any]:
    made = {plural: world.server.get(f"{root}/namespaces/{namespace}/{plural}/llmobs-gateway-p") for plural, root in OBJECTS.items()}
    return {plural: item for plural, item in made.items() if item}


def test_a_policy_gets_a_gateway_of_its_own_and_loses_it(offering: World) -> None:
    namespace = offering.namespace()
    path = offering.policy(namespace, DEDICATED)
    offering.condition(path, "CollectorReady", "Unknown", "RollingOut")
    made = found(offering, namespace)
    assert set(made) == set(OBJECTS)
    uid = offering.server.get(path)["metadata"]["uid"]
    assert {item["metadata"]["ownerReferences"][0]["uid"] for item in made.values()} == {uid}
    volumes = made["deployments"]["spec"]["template"]["spec"]["volumes"]
    assert "mine" in {item["secret"]["secretName"] for item in volumes if "secret" in item}

    offering.policy(namespace, {"collector": {"mode": "Shared"}})
    until("the objects are pruned", lambda: not found(offering, namespace))


def test_what_is_changed_by_hand_is_undone(offering: World) -> None:
    namespace = offering.namespace()
    path = offering.policy(namespace, DEDICATED)
    offering.condition(path, "CollectorReady", "Unknown", "RollingOut")
    where = f"/apis/apps/v1/namespaces/{namespace}/deployments/llmobs-gateway-p"
    offering.server.merge(where, {"spec": {"replicas": 5}})
    until("the number of pods is as it was", lambda: offering.server.get(where)["spec"]["replicas"] == 1)
    offering.server.delete(f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles/llmobs-gateway-p")
    until("the role is back", lambda: "roles" in found(offering, namespace))


def test_its_state_is_its_own(offering: World) -> None:
    namespace = offering.namespace()
    path = offering.policy(namespace, DEDICATED)
    offering.condition(path, "CollectorReady", "Unknown", "RollingOut")
    where = f"/apis/apps/v1/namespaces/{namespace}/deployments/llmobs-gateway-p"
    generation = offering.server.get(where)["metadata"]["generation"]
    status = {"observedGeneration": generation, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}
    offering.server.merge(f"{where}/status", {"status": status})
    offering.condition(path, "CollectorReady", "True", "RolledOut")


def test_where_it_is_not_offered_nothing_is_made_and_the_policy_says_so(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace, DEDICATED)

    assert "dedicated.enabled" in world.condition(path, "CollectorReady", "False", "NotAvailable")
    assert found(world, namespace) == {}
