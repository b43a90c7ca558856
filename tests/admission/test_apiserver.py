"""A real API server takes what admission makes, and the webhook serves it as in production, fed by watches."""

from __future__ import annotations

import base64
import copy
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
from hypothesis import HealthCheck, event, given, settings
from llmobs.api.effective import policy
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import decide
from llmobs.inject.patch import encoded
from llmobs.inject.pod import decode
from llmobs.inject.reasons import Reason
from llmobs.inject.select import namespace as around
from llmobs.inject.workload import TEMPLATES
from llmobs.kit.documents import read

from tests.admission import pod_strategies as pods_of
from tests.cluster.apiserver import ApiServer, until
from tests.cluster.conftest import apiserver, namespace
from tests.unit.webhook.certificates import pair

__all__ = ["apiserver", "namespace"]

pytestmark = pytest.mark.apiserver

INJECTED = sorted(path.parent for path in Path(__file__).parent.glob("cases/*/want.yaml"))
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api"}, "spec": {"containers": [{"name": "app", "image": "app"}]}}
PATHS = {
    "Pod": "/api/v1/namespaces/{}/pods",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
    "CronJob": "/apis/batch/v1/namespaces/{}/cronjobs",
}


def dry_run(server: ApiServer, namespace: str, body: dict[str, Any]) -> tuple[int, Any]:
    body = copy.deepcopy(body)
    body["metadata"]["namespace"] = namespace
    path = PATHS.get(body["kind"], f"/apis/apps/v1/namespaces/{{}}/{body['kind'].lower()}s").format(namespace)
    return server.request("POST", f"{path}?dryRun=All", body)


@pytest.mark.parametrize("case", INJECTED, ids=lambda case: case.name)
def test_the_server_takes_every_case(apiserver: ApiServer, namespace: str, case: Path) -> None:
    want = read(case / "want.yaml")[0].body
    if TEMPLATES[want["kind"]] and "selector" not in want["spec"] and not want["kind"].endswith("Job"):
        want["spec"]["selector"] = {"matchLabels": {"app": "checkout"}}

    status, answer = dry_run(apiserver, namespace, want)

    assert status == 201, answer


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pod=pods_of.pods(), spec=pods_of.policies)
def test_what_the_server_takes_without_us_it_takes_with_us(
    apiserver: ApiServer, namespace: str, pod: dict[str, Any], spec: dict[str, Any]
) -> None:
    make_admissible(pod)
    body = {"metadata": {"name": "p", "namespace": namespace}, "spec": spec}
    decision = decide(decode(json.dumps(pod).encode()), around(namespace, {}, [compiled(policy(body, [], {}), Platform())]))
    before, plain = dry_run(apiserver, namespace, pod)
    event(f"{decision.reason.value}, {before} without us")
    if decision.reason is not Reason.INJECTED or before != 201:
        return

    after, answer = dry_run(apiserver, namespace, jsonpatch.apply_patch(pod, json.loads(encoded(decision.operations))))

    assert after == 201, answer
    assert answer["status"]["qosClass"] == plain["status"]["qosClass"]


def make_admissible(pod: dict[str, Any]) -> None:
    """Take away what a generated pod would be refused for whatever we do."""
    pod["metadata"]["name"] = "api"
    (pod["metadata"].get("labels") or {}).pop("a~b/c", None)
    for owner in pod["metadata"].get("ownerReferences") or []:
        owner |= {"apiVersion": "v1", "uid": "1"}
    every = [*pod["spec"]["containers"], *(pod["spec"].get("initContainers") or [])]
    for container in pod["spec"]["containers"]:
        container.pop("restartPolicy", None)
    for container in every:
        resources = container.get("resources") or {}
        for name in set(resources.get("requests") or {}) & set(resources.get("limits") or {}):
            resources["requests"][name] = resources["limits"][name]
    mounted = {mount["name"] for container in every for mount in container.get("volumeMounts") or []}
    known = {volume["name"] for volume in pod["spec"].get("volumes") or []}
    if mounted - known:
        added = [{"name": name, "emptyDir": {}} for name in sorted(mounted - known)]
        pod["spec"]["volumes"] = [*(pod["spec"].get("volumes") or []), *added]


class Served:
    """The webhook as a process that watches the cluster, and its configuration in the API server."""

    def __init__(self, server: ApiServer, folder: Path, name: str) -> None:
        self.server, self.name, self.folder = server, name, folder
        self.pair = pair()
        self.files = self.pair.write(folder)
        self.port = 0
        self.start()
        self._configure()

    def start(self) -> None:
        command = [sys.executable, "-m", "llmobs", "webhook", "--kubeconfig", str(self.server.kubeconfig()), "--host", "127.0.0.1"]
        command += ["--port", str(self.port), "--tls-cert", str(self.files[0]), "--tls-key", str(self.files[1])]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        found = re.match(r"listening on https port (\d+)", self.process.stdout.readline())
        assert found, (self.folder / "log").read_text()
        self.port = int(found[1])

    def _configure(self) -> None:
        hook = {
            "name": "pods.llmobs.dev",
            "clientConfig": {
                "url": f"https://localhost:{self.port}/mutate",
                "caBundle": base64.b64encode(self.pair.certificate).decode(),
            },
            "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}],
            "namespaceSelector": {"matchLabels": {"test": self.name}},
            "failurePolicy": "Ignore",
            "timeoutSeconds": 2,
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "reinvocationPolicy": "IfNeeded",
        }
        self.server.create(
            "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
            {
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "MutatingWebhookConfiguration",
                "metadata": {"name": self.name},
                "webhooks": [hook],
            },
        )

    def annotations(self, pod: dict[str, Any] = POD) -> dict[str, str]:
        """The annotations of a pod as the API server would store it."""
        status, answer = dry_run(self.server, self.name, pod)
        assert status == 201, answer
        found: dict[str, str] = answer["metadata"].get("annotations", {})
        return found

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.server.request("DELETE", f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{self.name}")


@pytest.fixture
def served(apiserver: ApiServer, namespace: str, tmp_path: Path) -> Iterator[Served]:
    labels = {"test": namespace, "pod-security.kubernetes.io/enforce": "restricted"}
    apiserver.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
    made = Served(apiserver, tmp_path, namespace)
    yield made
    made.end()


RESTRICTED = {
    **POD,
    "spec": {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {"name": "app", "image": "app", "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
        ],
    },
}


def test_policies_of_the_cluster_are_followed(apiserver: ApiServer, namespace: str, served: Served) -> None:
    """In a namespace that enforces the level `restricted`; the webhook is away for a while, and nobody is refused."""
    path = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities"
    body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": {"name": "checkout"}, "spec": {}}
    assert served.annotations(RESTRICTED) == {}

    stored = apiserver.create(path, body)
    found = until("pods are injected", lambda: served.annotations(RESTRICTED))
    assert found["llmobs.dev/policy"] == f"{namespace}/checkout"
    assert found["llmobs.dev/policy-revision"] == f"{stored['metadata']['uid']}.1"

    apiserver.merge(f"{path}/checkout", {"spec": {"attributes": {"team": "payments"}}})
    until("the new generation applies", lambda: served.annotations(RESTRICTED)["llmobs.dev/policy-revision"].endswith(".2"))

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(30) == 0
    assert served.annotations(RESTRICTED) == {}, "created without us, not refused"
    served.start()
    until("pods are injected again", lambda: served.annotations(RESTRICTED))

    apiserver.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"llmobs.dev/inject": "false"}}})
    until("the namespace has opted out", lambda: served.annotations(RESTRICTED) == {})
    apiserver.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"llmobs.dev/inject": None}}})
    until("the namespace is back", lambda: served.annotations(RESTRICTED))

    apiserver.request("DELETE", f"{path}/checkout")
    until("the policy is gone", lambda: served.annotations(RESTRICTED) == {})
