"""What reaches a webhook of the pods that Kubernetes' own controllers make, and whether those of a template are seen to be of one."""

from __future__ import annotations

import base64
import json
import ssl
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from llmobs.cluster.authority import authority, leaf
from llmobs.inject.compiled import Platform
from llmobs.inject.reasons import Reason
from llmobs.webhook.repeats import Answers, template
from llmobs.webhook.review import answer
from llmobs.webhook.store import KINDS, NAMESPACE, POLICY, Store

from tests.cluster.admission import CONFIGURATIONS
from tests.cluster.apiserver import ApiServer, until
from tests.fakes.loopback import Answering, Loopback

pytestmark = pytest.mark.apiserver

PODS = 3
WORKLOADS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}


class Listener:
    """A webhook that changes nothing and keeps every review."""

    def __init__(self, folder: Path) -> None:
        self.reviews: list[bytes] = []
        now = datetime.now(tz=UTC)
        self.root = authority(now)
        pair = leaf(self.root, ["localhost"], now)
        for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
            (folder / name).write_text(text)
        listener = self

        class Handler(Answering):
            def do_POST(self) -> None:
                body = self.body()
                listener.reviews.append(body)
                response = {"uid": json.loads(body)["request"]["uid"], "allowed": True}
                self.answer(json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).encode())

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        self.server = Loopback(Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.begin()

    def hook(self) -> dict[str, Any]:
        pods = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}
        bundle = base64.b64encode(self.root.certificate.encode()).decode()
        return {
            "name": "listener.example.com",
            "clientConfig": {"url": f"https://localhost:{self.server.server_port}/mutate", "caBundle": bundle},
            "rules": [pods],
            "failurePolicy": "Fail",
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            "reinvocationPolicy": "IfNeeded",
        }

    def of(self, owner: str) -> list[bytes]:
        return [body for body in list(self.reviews) if owners(body) == [owner]]


def owners(body: bytes) -> list[str]:
    return [item["kind"] for item in json.loads(body)["request"]["object"]["metadata"].get("ownerReferences") or ()]


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "app", "image": "a:1"}], **spec}}


def workloads(server: ApiServer) -> None:
    for kind, plural in WORKLOADS.items():
        spec = {"selector": {"matchLabels": {"app": "a"}}, "template": pod()}
        if kind != "DaemonSet":
            spec["replicas"] = PODS
        if kind == "StatefulSet":
            spec["podManagementPolicy"] = "Parallel"
        server.create(f"/apis/apps/v1/namespaces/{kind.lower()}/{plural}", {"metadata": {"name": "w"}, "spec": spec})
    job = {"parallelism": PODS, "completions": PODS, "template": pod(restartPolicy="Never")}
    server.create("/apis/batch/v1/namespaces/job/jobs", {"metadata": {"name": "w"}, "spec": job})


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[bytes]]]:
    """The reviews of each kind of owner."""
    folder = tmp_path_factory.mktemp("repeats")
    server, listener = ApiServer(folder, accounts=True), Listener(folder)
    try:
        server.start()
        server.controllers()
        server.create(CONFIGURATIONS, {"metadata": {"name": "listener"}, "webhooks": [listener.hook()]})
        for name in (*map(str.lower, WORKLOADS), "job"):
            server.create("/api/v1/namespaces", {"metadata": {"name": name}})
            until("the namespace has its account", lambda name=name: server.get(f"/api/v1/namespaces/{name}/serviceaccounts/default"))
        for number in range(PODS):
            server.create("/api/v1/nodes", {"metadata": {"name": f"node-{number}.{'x' * number}example.com"}})
        workloads(server)
        kinds = ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")
        until("all pods have been asked about", lambda: all(len(listener.of(kind)) >= PODS for kind in kinds))
        yield {kind: listener.of(kind) for kind in kinds}
    finally:
        server.end()


def test_pods_of_a_template_are_equal_but_for_what_is_known_to_differ(heard: dict[str, list[bytes]]) -> None:
    found = defaultdict(set)
    for kind, bodies in heard.items():
        for body in bodies:
            made = template(body)
            assert made is not None, "as an API server writes it"
            assert made.volume.startswith(b"kube-api-access-")
            found[kind].add(made.key)

    counts = {kind: len(keys) for kind, keys in found.items()}
    assert counts == {"ReplicaSet": 1, "DaemonSet": 1, "Job": 1, "StatefulSet": PODS}, "the pods of a StatefulSet have names of their own"


def test_they_are_answered_as_each_would_be(heard: dict[str, list[bytes]]) -> None:
    store = Store(Platform())
    names = {json.loads(body)["request"]["namespace"] for bodies in heard.values() for body in bodies}
    found = {NAMESPACE: [{"metadata": {"name": name}} for name in names]}
    found[POLICY] = [{"metadata": {"name": "p", "namespace": name}} for name in names]
    for kind in KINDS:
        store.replace(kind, found.get(kind, []))
    answers = Answers(store)

    for kind, bodies in heard.items():
        before = answers.repeated
        for body in bodies:
            made = answers.answer(body)
            assert (made.body, made.reason) == (answer(body, store).body, Reason.INJECTED)
        assert answers.repeated - before == (0 if kind == "StatefulSet" else len(bodies) - 2)
