"""What runs the gateway is taken by the API server without a word, field by field, however the platform sets it up."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from llmobs.api import effective
from llmobs.api.settings import Settings
from llmobs.cluster.kinds import resource
from llmobs.kit.decode import decode
from llmobs.plan import collector
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable

from tests.cluster.apiserver import ApiServer
from tests.cluster.installation import rendered

pytestmark = pytest.mark.apiserver

INSTALLATIONS = {
    "default": (),
    "on disk": ("--set=gateway.queueOnDisk=2Gi",),
    "on volumes": ("--set=gateway.queueOnDisk=2Gi,gateway.queueStorageClass=fast",),
    "autoscaled": ("--set=gateway.replicas=3,gateway.maxReplicas=9,gateway.targetUtilization=60",),
}


def settings(*options: str) -> Settings:
    """The settings as the chart hands them to the controller."""
    [found] = [item for item in rendered(*options) if item["metadata"]["name"] == "llmobs-settings"]
    return decode(Settings, yaml.safe_load(found["data"]["config.yaml"]))


@pytest.mark.parametrize("options", INSTALLATIONS.values(), ids=INSTALLATIONS)
def test_every_object_is_taken(apiserver: ApiServer, namespace: str, options: tuple[str, ...]) -> None:
    inputs = Inputs(settings=settings(*options), facts=Facts(namespace=namespace, prometheus_operator=False), prices=PriceTable())
    [part] = collector.parts(inputs)
    for manifest in part.manifests:
        taken(apiserver, manifest)


def test_every_object_of_a_dedicated_gateway_is_taken(apiserver: ApiServer, namespace: str) -> None:
    body = {"metadata": {"name": "p" * 63, "namespace": namespace, "uid": "u"}, "spec": {"collector": {"mode": "Dedicated"}}}
    policy = effective.policy(body, (), {})
    facts = Facts(prometheus_operator=False)
    inputs = Inputs(settings=settings("--set=dedicated.enabled=true"), facts=facts, prices=PriceTable(), policies=(policy,))
    [part] = collector.policy_parts(inputs, policy)
    assert part.manifests
    for manifest in part.manifests:
        taken(apiserver, manifest)


def taken(server: ApiServer, manifest: dict[str, Any]) -> None:
    meta = manifest["metadata"]
    path = resource(manifest).path(namespace=meta.get("namespace", ""), name=meta["name"])
    query = "fieldManager=test&force=true&dryRun=All&fieldValidation=Strict"
    status, answer = server.request("PATCH", f"{path}?{query}", manifest, content="application/apply-patch+yaml")
    assert status in (200, 201), answer
