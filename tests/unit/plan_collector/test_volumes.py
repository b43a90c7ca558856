"""Queues on volumes that outlive their pods: the gateway as a StatefulSet."""

from typing import Any

import pytest
from llmobs.kit.errors import Invalid
from llmobs.plan import collector

from tests.collector.conftest import inputs
from tests.unit.plan_collector.test_dedicated import MINE, OFFERED
from tests.unit.plan_collector.test_objects import FLEET, POLICIES, SMALL, objects

DISK = {"gateway": {"queueOnDisk": "2Gi"}}
VOLUMES = {"gateway": {"queueOnDisk": "2Gi", "queueStorageClass": "fast"}}


def test_every_pod_has_a_claim_of_its_own_in_place_of_the_nodes_disk() -> None:
    disk = objects(POLICIES, fleet=FLEET, settings=DISK)
    made = objects(POLICIES, fleet=FLEET, settings=VOLUMES)
    spec, before = made["StatefulSet"]["spec"], disk["Deployment"]["spec"]
    [claim] = spec["volumeClaimTemplates"]

    assert set(made) - set(disk) == {"StatefulSet"}
    assert set(disk) - set(made) == {"Deployment"}
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    assert claim["metadata"]["name"] in {mount["name"] for mount in spec["template"]["spec"]["containers"][0]["volumeMounts"]}
    volumes = [item for item in before["template"]["spec"]["volumes"] if item["name"] != claim["metadata"]["name"]]
    assert len(volumes) == len(before["template"]["spec"]["volumes"]) - 1
    assert spec["template"] == {**before["template"], "spec": {**before["template"]["spec"], "volumes": volumes}}
    assert made["ConfigMap"] == disk["ConfigMap"]


def test_a_pod_that_does_not_start_is_replaced_by_the_next_configuration_and_the_volumes_go_with_the_installation() -> None:
    spec = objects(settings=VOLUMES)["StatefulSet"]["spec"]

    assert spec["podManagementPolicy"] == "Parallel"
    assert spec["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"
    assert spec["serviceName"] == objects(settings=VOLUMES)["Service"]["metadata"]["name"]


@pytest.mark.parametrize(
    ("gateway", "said"),
    [
        ({"queueOnDisk": ""}, "needs the size"),
        ({"replicas": 1}, "at least 2 replicas"),
        ({"maxReplicas": 5}, "no autoscaling"),
    ],
)
def test_what_would_lose_what_it_is_for_is_refused(gateway: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=rf"gateway\.queueStorageClass: .*{said}"):
        objects(settings={"gateway": {**VOLUMES["gateway"], **gateway}})


def test_a_gateway_of_one_policy_keeps_its_queue_on_the_node() -> None:
    given = inputs({"team-a/mine": MINE}, settings={**OFFERED, **VOLUMES}, prices=SMALL)
    [part] = collector.policy_parts(given, given.policies[0])

    assert "StatefulSet" not in {item["kind"] for item in part.manifests}
