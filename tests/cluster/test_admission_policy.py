"""The controller puts the API server itself to work: pods are instrumented without a webhook, as far as that can be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.apiserver import until
from tests.cluster.world import World, running

pytestmark = pytest.mark.apiserver

GROUP = "/apis/admissionregistration.k8s.io/v1"
BINDINGS = f"{GROUP}/mutatingadmissionpolicybindings"
POLICIES = f"{GROUP}/mutatingadmissionpolicies"
BY_IMAGE: dict[str, Any] = {"injection": {"delivery": "ImageVolume"}}


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world without a webhook."""
    folder = tmp_path_factory.mktemp("native")
    with running(folder, "--set=admission.by=AdmissionPolicy", admission={"by": "AdmissionPolicy"}) as made:
        yield made


def pod(world: World, namespace: str, **labels: str) -> dict[str, Any]:
    """The pod as it would be stored."""
    body = {"metadata": {"generateName": "web-", "labels": labels}, "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}]}}
    status, answer = world.server.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)
    assert status == 201, answer
    return dict(answer)


def policy_of(world: World, namespace: str, **labels: str) -> str | None:
    """By which policy a pod created now is instrumented."""
    found: dict[str, str] = pod(world, namespace, **labels)["metadata"].get("annotations") or {}
    return found.get("llmobs.dev/policy")


def test_pods_are_instrumented_without_a_webhook(native: World) -> None:
    where = native.namespace()
    path = native.policy(where, {**BY_IMAGE, "attributes": {"team": "payments"}})

    until("pods are instrumented", lambda: policy_of(native, where))

    made = pod(native, where)
    variables = {item["name"]: item.get("value") for item in made["spec"]["containers"][0]["env"]}
    assert made["spec"]["volumes"][0]["image"]["reference"]
    assert "initContainers" not in made["spec"]
    assert variables["PYTHONPATH"] == "/llmobs/python"
    assert variables["LLMOBS_RESOURCE_ATTRIBUTES"].endswith("team=payments")
    native.condition(path, "InjectionReady", "True", "NoPods")
    native.pod(where, "web")
    native.condition(path, "InjectionReady", "True", "Injected")

    native.policy(where, {**BY_IMAGE, "attributes": {"team": "search"}})
    until("a change of the policy arrives", lambda: "team=search" in str(pod(native, where)))
    native.server.delete(f"{BINDINGS}/llmobs.{where}.p")
    until("what somebody deletes is made anew", lambda: policy_of(native, where))
    native.server.delete(path)
    until("the policy is gone", lambda: policy_of(native, where) is None)
    for gone in (f"{BINDINGS}/llmobs.{where}.p", f"{POLICIES}/llmobs.{where}.p"):
        until("what was made for it is gone", lambda gone=gone: native.server.get(gone) is None)


def test_what_cannot_be_expressed_is_said_and_not_done_by_half(native: World) -> None:
    where = native.namespace()
    path = native.policy(where, {"injection": {"languages": ["python", "sdk"]}})

    said = native.condition(path, "InjectionReady", "False", "NotAvailable")

    assert "injection.delivery InitContainer" in said
    assert "choose ImageVolume" in said
    assert "injection.languages sdk" in said
    assert policy_of(native, where) is None


def test_of_several_policies_the_best_takes_a_pod(native: World) -> None:
    where = native.namespace()
    native.policy(where, BY_IMAGE, name="all")
    native.policy(where, {**BY_IMAGE, "selector": {"matchLabels": {"app": "web"}}}, name="web")

    until("the more specific one wins", lambda: policy_of(native, where, app="web") == f"{where}/web")
    until("the other one is in force", lambda: policy_of(native, where) == f"{where}/all")


def test_defaults_apply_without_a_policy(native: World) -> None:
    where = native.namespace()
    native.server.merge(f"/api/v1/namespaces/{where}", {"metadata": {"labels": {"kind": "covered"}}})
    spec = {"namespaceSelector": {"matchLabels": {"kind": "covered"}}, "withoutPolicy": "Apply", "defaults": BY_IMAGE}
    native.cluster_wide("clusterllmobservabilities", "ClusterLLMObservability", spec, "native")

    until("pods are instrumented", lambda: policy_of(native, where) == "native")


def test_everything_goes_with_the_role_that_owns_it(native: World) -> None:
    where = native.namespace()
    native.policy(where, BY_IMAGE)
    until("the binding is there", lambda: native.server.get(f"{BINDINGS}/llmobs.{where}.p"))

    for path in (f"{POLICIES}/llmobs.{where}.p", f"{BINDINGS}/llmobs.{where}.p"):
        [owner] = native.server.get(path)["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["name"]) == ("ClusterRole", "llmobs-admission-policies")
