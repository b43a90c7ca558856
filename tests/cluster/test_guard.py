"""What somebody may change who has taken over the controller: nothing of anybody else's but what rollback and rollout change."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.apiserver import ApiServer, until
from tests.cluster.installation import SYSTEM, account, install

pytestmark = pytest.mark.apiserver

TEAM = "team-a"
OURS = {"app.kubernetes.io/managed-by": "llm-observability-operator"}
APPS = f"/apis/apps/v1/namespaces/{TEAM}"
CORE = f"/api/v1/namespaces/{TEAM}"
APP = {"name": "app", "image": "example.com/app:1"}
MERGE = "application/merge-patch+json"


class Thief:
    """Somebody with the controller's token."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self._token = yaml.safe_load(account(server, "llmobs-controller").read_text())["users"][0]["user"]["token"]

    def asks(self, method: str, path: str, body: Any = None, content: str = MERGE) -> tuple[int, str]:
        """Status and message."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": content}
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(f"{self.server.url}{path}", data=data, headers=headers, method=method)
        context = ssl.create_default_context(cafile=str(self.server.authority))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(asked, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def guarded(self, method: str, path: str, body: Any = None, content: str = MERGE) -> bool:
        """Whether the guard, and not a missing right, is what refuses."""
        status, said = self.asks(method, path, body, content)
        return status == 422 and "of llm-observability-operator" in said


@pytest.fixture(scope="module")
def thief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thief]:
    folder: Path = tmp_path_factory.mktemp("guard")
    server = ApiServer(folder)
    try:
        server.start()
        install(server, folder, "--set=dedicated.enabled=true")
        server.create("/api/v1/namespaces", {"metadata": {"name": TEAM}})
        server.create(f"{CORE}/configmaps", {"metadata": {"name": "theirs"}, "data": {"a": "1"}})
        made = Thief(server)
        until("the guard is in force", lambda: made.guarded("PATCH", f"{CORE}/configmaps/theirs", {"data": {"a": "2"}}))
        until("both are", lambda: made.guarded("POST", f"{APPS}/deployments?dryRun=All", deployment("probe"), "application/json"))
        yield made
    finally:
        server.end()


def template(**more: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [dict(APP)], **more}}


def deployment(name: str, **labels: str) -> dict[str, Any]:
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template()}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec}


def test_objects_of_others_are_not_changed_deleted_or_taken_over(thief: Thief) -> None:
    theirs = f"{CORE}/configmaps/theirs"
    assert thief.guarded("PATCH", theirs, {"data": {"a": "2"}})
    assert thief.guarded("PATCH", theirs, {"metadata": {"labels": OURS}})
    assert thief.guarded("DELETE", theirs)
    assert thief.guarded("POST", f"{CORE}/configmaps", {"metadata": {"name": "new"}}, "application/json")
    settings = f"/api/v1/namespaces/{SYSTEM}/configmaps/llmobs-settings"
    assert thief.guarded("PATCH", settings, {"data": {"config.yaml": ""}}), "not even the chart's own"
    webhook = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/llmobs-webhook"
    assert thief.guarded("PATCH", webhook, {"spec": {"replicas": 0}})

    assert thief.asks("POST", f"{CORE}/configmaps", {"metadata": {"name": "ours", "labels": OURS}}, "application/json")[0] == 201
    assert thief.asks("PATCH", f"{CORE}/configmaps/ours", {"data": {"a": "1"}})[0] == 200
    assert thief.guarded("PATCH", f"{CORE}/configmaps/ours", {"metadata": {"labels": {next(iter(OURS)): "Helm"}}})
    assert thief.asks("DELETE", f"{CORE}/configmaps/ours")[0] == 200


@pytest.mark.parametrize("kind", ["deployments", "statefulsets", "daemonsets", "cronjobs"])
def test_of_a_workload_only_our_annotations_on_the_template_are_changed(thief: Thief, kind: str) -> None:
    server = thief.server
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": "web"}}, "template": template()}
    root, inside = f"{APPS}/{kind}", {"template": None}
    if kind == "cronjobs":
        job = {"spec": {"template": template(restartPolicy="Never")}}
        spec, root = {"schedule": "0 0 * * *", "jobTemplate": job}, f"/apis/batch/v1/namespaces/{TEAM}/cronjobs"
    server.create(root, {"metadata": {"name": "web"}, "spec": spec})
    path = f"{root}/web"

    def at_template(change: dict[str, Any]) -> dict[str, Any]:
        inside["template"] = change
        return {"spec": {"jobTemplate": {"spec": dict(inside)}} if kind == "cronjobs" else dict(inside)}

    for change in (
        at_template({"spec": {"containers": [{"name": "app", "image": "example.com/evil:1"}]}}),
        at_template({"spec": {"serviceAccountName": "admin"}}),
        at_template({"metadata": {"labels": {"more": "x"}}}),
        at_template({"metadata": {"annotations": {"somebody/else": "x"}}}),
        at_template({"metadata": {"annotations": {"llmobs.dev/restarted-for": "x", "somebody/else": "x"}}}),
        {"metadata": {"labels": OURS}},
    ):
        assert thief.guarded("PATCH", path, change), change
    assert thief.guarded("DELETE", path) or (kind != "deployments" and thief.asks("DELETE", path)[0] == 403)
    if kind in ("deployments", "statefulsets"):
        assert thief.guarded("PATCH", path, {"spec": {"replicas": 0}})
    if kind == "cronjobs":
        assert thief.guarded("PATCH", path, {"spec": {"suspend": True}})

    server.merge(path, at_template({"metadata": {"annotations": {"somebody/else": "y"}}}))
    for value in ("u.1", "u.2", None):
        status, said = thief.asks("PATCH", path, at_template({"metadata": {"annotations": {"llmobs.dev/rolled-back": value}}}))
        assert status == 200, said
    assert thief.guarded("PATCH", path, at_template({"metadata": {"annotations": {"somebody/else": None}}}))


@pytest.mark.parametrize(
    ("pod", "runs"),
    [
        ({"serviceAccountName": "llmobs-gateway-own"}, True),
        ({}, False),
        ({"serviceAccountName": "admin"}, False),
        ({"serviceAccountName": "llmobs-gateway", "hostNetwork": True}, False),
        ({"serviceAccountName": "llmobs-gateway", "hostPID": True}, False),
        ({"serviceAccountName": "llmobs-gateway", "volumes": [{"name": "v", "hostPath": {"path": "/"}}]}, False),
        ({"serviceAccountName": "llmobs-gateway", "containers": [{**APP, "securityContext": {"privileged": True}}]}, False),
        ({"serviceAccountName": "llmobs-gateway", "initContainers": [{**APP, "securityContext": {"privileged": True}}]}, False),
    ],
    ids=["a gateway", "no account", "another account", "network", "processes", "files", "privileged", "privileged at first"],
)
def test_nothing_but_gateways_is_run(thief: Thief, pod: dict[str, Any], runs: bool) -> None:
    made = deployment("llmobs-gateway-own", **OURS)
    made["spec"]["template"]["spec"] |= pod
    if "initContainers" in pod:
        pod["initContainers"][0]["name"] = "first"
    asked = ("POST", f"{APPS}/deployments?dryRun=All", made, "application/json")

    assert thief.guarded(*asked) is not runs
    assert (thief.asks(*asked)[0] == 201) is runs


def test_only_instrumented_pods_are_deleted(thief: Thief) -> None:
    for name, labels in (("bare", {}), ("ours", {"llmobs.dev/injected": "true"})):
        thief.server.create(f"{CORE}/pods", {"metadata": {"name": name, "labels": labels}, "spec": template()["spec"]})

    assert thief.guarded("DELETE", f"{CORE}/pods/bare")
    assert thief.asks("DELETE", f"{CORE}/pods/ours")[0] == 200


def test_nobody_else_is_concerned(thief: Thief) -> None:
    thief.server.merge(f"{CORE}/configmaps/theirs", {"data": {"a": "3"}})
    thief.server.create(f"{APPS}/deployments", deployment("another"))
    thief.server.merge(f"{APPS}/deployments/another", {"spec": {"replicas": 0}})
    thief.server.delete(f"{APPS}/deployments/another")
