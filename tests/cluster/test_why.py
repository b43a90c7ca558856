"""``llmobs why`` against the real API server, as a person with few rights."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer, serving
from tests.cluster.installation import LLMOBS, Prometheus

pytestmark = pytest.mark.apiserver

POLICIES = "/apis/llmobs.dev/v1alpha1/namespaces/{}/llmobservabilities"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def why(kubeconfig: Path, *arguments: str) -> tuple[int, str, str]:
    command = [LLMOBS, "why", *arguments, f"--kubeconfig={kubeconfig}", "--context=test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def person(server: ApiServer, namespace: str, *, fleets: bool) -> Path:
    """A kubeconfig of an account that may read what the command's help says, with or without the fleets."""
    server.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "jane"}})
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["limitranges", "resourcequotas"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get"]},
        {"apiGroups": ["llmobs.dev"], "resources": ["llmobservabilities"], "verbs": ["get", "list"]},
    ]
    if fleets:
        rules.append({"apiGroups": ["llmobs.dev"], "resources": ["clusterllmobservabilities"], "verbs": ["list"]})
    server.create(f"{RBAC}/clusterroles", {"metadata": {"name": namespace}, "rules": rules})
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": namespace}
    subjects = [{"kind": "ServiceAccount", "name": "jane", "namespace": namespace}]
    server.create(f"{RBAC}/clusterrolebindings", {"metadata": {"name": namespace}, "roleRef": role, "subjects": subjects})
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    made = server.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/jane/token", asked)
    return server.kubeconfig(token=made["status"]["token"], name=namespace)


def deployment(server: ApiServer, namespace: str, **spec: Any) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "i:1"}], **spec}}
    wanted = {"replicas": 0, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    server.create(f"/apis/apps/v1/namespaces/{namespace}/deployments", {"metadata": {"name": "web"}, "spec": wanted})


def pod(server: ApiServer, namespace: str, name: str, *, revision: str = "", owned: bool = True) -> None:
    labels = {"app": "web", "pod-template-hash": "abc", **({"llmobs.dev/injected": "true"} if revision else {})}
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-abc", "uid": "1", "controller": True}
    meta = {"name": name, "labels": labels, "ownerReferences": [owner] if owned else []}
    annotations = {"llmobs.dev/policy-revision": revision} if revision else {}
    body = {"metadata": {**meta, "annotations": annotations}, "spec": {"containers": [{"name": "app", "image": "i:1"}]}}
    server.create(f"/api/v1/namespaces/{namespace}/pods", body)


@pytest.fixture(scope="module")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """One of its own: the controllers that other tests start would make and collect pods."""
    with serving(tmp_path_factory.mktemp("apiserver")) as server:
        yield server


@pytest.fixture
def prometheus() -> Iterator[Prometheus]:
    made = Prometheus()
    yield made
    made.end()


def test_a_workload_is_told_with_its_policy_pods_and_telemetry(apiserver: ApiServer, namespace: str, prometheus: Prometheus) -> None:
    jane = person(apiserver, namespace, fleets=True)
    wide = apiserver.create(POLICIES.format(namespace), {"metadata": {"name": "wide"}, "spec": {}, **_typed()})
    selecting = {"selector": {"matchLabels": {"app": "web"}}}
    narrow = apiserver.create(POLICIES.format(namespace), {"metadata": {"name": "narrow"}, "spec": selecting, **_typed()})
    uid = narrow["metadata"]["uid"]
    assert wide["metadata"]["uid"] != uid
    deployment(apiserver, namespace)
    status, said, _ = why(jane, "deployment/web", "-n", namespace)
    assert status == 0, said
    assert "pods: none runs" in said
    assert "telemetry: Unknown: not asked; give --prometheus URL" in said

    revision = json.loads(why(jane, "deploy/web", "-n", namespace, "-o", "json")[1])["policy"]["revision"]
    for name, marked in (("new", revision), ("old", f"{uid}.0"), ("missed", "")):
        pod(apiserver, namespace, name, revision=marked)
    pod(apiserver, namespace, "stranger", owned=False)
    prometheus.answers[f'llm_calls_total{{k8s_namespace="{namespace}",k8s_workload="web"}}'] = [({}, 12.0)]
    status, out, _ = why(jane, "deployment/web", "-n", namespace, "-o", "json", "--prometheus", prometheus.url)
    told = json.loads(out)

    assert status == 3
    assert (told["policy"]["name"], told["losers"]) == (f"{namespace}/narrow", [f"{namespace}/wide"])
    assert {item["name"]: item["state"] for item in told["pods"]} == {"new": "Injected", "old": "Outdated", "missed": "Missed"}
    assert told["telemetry"]["state"] == "Arrived"
    assert "12 calls of web" in told["telemetry"]["message"]
    assert all(item["path"].startswith("/spec/template/") for item in told["changes"])
    assert told["changes"]
    status, said, _ = why(jane, "pod/missed", "-n", namespace, "--prometheus", prometheus.url)
    assert (status, "pod missed: Missed" in said, "telemetry: Arrived" in said) == (3, True, True)
    assert why(jane, "pod/new", "-n", namespace)[0] == 0


def test_a_pod_is_outdated_only_where_its_policy_does_otherwise_now(apiserver: ApiServer, namespace: str) -> None:
    path = f"{POLICIES.format(namespace)}/p"
    uid = apiserver.create(POLICIES.format(namespace), {"metadata": {"name": "p"}, "spec": {}, **_typed()})["metadata"]["uid"]
    for cost in (1, 2, 3):
        apiserver.merge(path, {"spec": {"budgets": [{"name": "b", "limitUSD": cost}]}})
    deployment(apiserver, namespace)
    for generation in (1, 2, 3, 4):
        pod(apiserver, namespace, f"g{generation}", revision=f"{uid}.{generation}")

    def outdated() -> list[str]:
        told = json.loads(why(apiserver.kubeconfig(), "deployment/web", "-n", namespace, "-o", "json")[1])
        assert told["policy"]["revision"] == f"{uid}.4"
        return [item["name"] for item in told["pods"] if item["state"] == "Outdated"]

    assert outdated() == ["g1", "g2", "g3"]
    since = {"instrumentation": {"digest": "d", "generation": 3}}
    apiserver.merge(f"{path}/status", {"status": {"observedGeneration": 3, **since}})
    assert outdated() == ["g1", "g2", "g3"], "the operator has not judged the fourth yet"
    apiserver.merge(f"{path}/status", {"status": {"observedGeneration": 4, **since}})
    assert outdated() == ["g1", "g2"]


def test_every_obstacle_is_told_and_what_is_missing_is_named(apiserver: ApiServer, namespace: str) -> None:
    deployment(apiserver, namespace, hostNetwork=True, nodeSelector={"kubernetes.io/os": "windows"})
    apiserver.create(POLICIES.format(namespace), {"metadata": {"name": "p"}, "spec": {}, **_typed()})
    status, said, _ = why(apiserver.kubeconfig(), "deployment/web", "-n", namespace)
    assert status == 3
    assert "check a network of its own: fails, HostNetwork" in said
    assert "check runs on Linux: fails, WindowsNode" in said
    assert "check no other agent: passes" in said
    asked = {"metadata": {"annotations": {"instrumentation.opentelemetry.io/inject-python": "observability/default"}}}
    apiserver.merge(f"/api/v1/namespaces/{namespace}", asked)
    assert "check no other agent: fails, OtherAgent" in why(apiserver.kubeconfig(), "deployment/web", "-n", namespace)[1]
    status, _, err = why(apiserver.kubeconfig(), "deployment/absent", "-n", namespace)
    assert (status, "deployment/absent: does not exist in namespace" in err) == (2, True)

    status, out, err = why(person(apiserver, namespace, fleets=False), "deployment/web", "-n", namespace)
    assert (status, out) == (1, "")
    assert "a right is missing" in err
    assert 'cannot list resource "clusterllmobservabilities"' in err
    assert "Traceback" not in err


def test_where_nobody_asks_admission_that_is_told(apiserver: ApiServer, namespace: str) -> None:
    deployment(apiserver, namespace)
    apiserver.create(POLICIES.format(namespace), {"metadata": {"name": "p"}, "spec": {}, **_typed()})
    jane = person(apiserver, namespace, fleets=True)
    assert why(jane, "deployment/web", "-n", namespace)[0] == 0
    chosen = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["another"]}
    hook = {
        "name": "pods.llmobs.dev",
        "clientConfig": {"url": "https://localhost:1/mutate"},
        "namespaceSelector": {"matchExpressions": [chosen]},
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    apiserver.create(path, {"metadata": {"name": "llmobs-webhook"}, "webhooks": [hook]})

    status, said, _ = why(apiserver.kubeconfig(), "deployment/web", "-n", namespace)
    assert (status, f"but the webhook is not asked about pods of namespace {namespace}" in said) == (3, True)
    status, out, _ = why(jane, "deployment/web", "-n", namespace, "-o", "json")
    assert (status, json.loads(out)["unasked"]) == (0, None), "who may not see it is told the rest"
    chosen["values"] = [namespace]
    apiserver.merge(f"{path}/llmobs-webhook", {"webhooks": [hook]})
    assert why(apiserver.kubeconfig(), "deployment/web", "-n", namespace)[0] == 0


def _typed() -> dict[str, str]:
    return {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability"}
