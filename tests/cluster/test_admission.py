"""Admission through the real API server: the real webhook process, fed by its own watches with the chart's rights."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from llmobs.cluster.authority import authority, leaf

from tests.cluster.apiserver import ApiServer, Process, free_port, until
from tests.cluster.installation import LLMOBS, SYSTEM, account, install, rendered

pytestmark = pytest.mark.apiserver

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_numbers = itertools.count()


class Admission:
    """The chart's webhook configuration, called by URL instead of by Service, and the process behind it."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.server, self.folder, self.port = server, folder, free_port()
        now = datetime.now(tz=UTC)
        self.root = authority(now)
        pair = leaf(self.root, ["localhost"], now)
        for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
            (folder / name).write_text(text)
        self._kubeconfig = account(server, "llmobs-webhook")
        self._process: Process | None = None

    def start(self) -> None:
        flags = [f"--tls-cert={self.folder / 'tls.crt'}", f"--tls-key={self.folder / 'tls.key'}", f"--port={self.port}"]
        flags += [f"--kubeconfig={self._kubeconfig}", "--metrics-port=0", "--host=127.0.0.1", f"--namespace={SYSTEM}"]
        self._process = Process("webhook", [LLMOBS, "webhook", *flags], self.folder)
        until("the webhook listens or ended", lambda: "listening" in self.log() or not self.running)
        assert self.running, self.log()

    def end(self) -> None:
        if self._process is not None:
            self._process.end()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def log(self) -> str:
        return self._process.log.read_text() if self._process is not None else ""

    def configure(self) -> dict[str, Any]:
        [made] = [item for item in rendered() if item["kind"] == "MutatingWebhookConfiguration"]
        authority_ = base64.b64encode(self.root.certificate.encode()).decode()
        client = {"url": f"https://localhost:{self.port}/mutate", "caBundle": authority_}
        made["webhooks"][0]["clientConfig"] = client
        return dict(self.server.create(CONFIGURATIONS, made))

    def namespace(self, **labels: str) -> str:
        name = f"app-{next(_numbers)}"
        self.server.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        return name

    def policy(self, namespace: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
        body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": {"name": "p"}, "spec": spec or {}}
        path = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities"
        return dict(self.server.create(path, body))

    def pod(self, namespace: str, *, name: str = "web", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """The pod as it would be stored."""
        body = {
            "metadata": {"name": name, "labels": labels or {}, **more.pop("metadata", {})},
            "spec": {"containers": [{"name": "app", "image": "example.com/app:1", **more.pop("container", {})}], **more},
        }
        status, answer = self.server.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)
        assert status == 201, answer
        return dict(answer)

    def injected(self, namespace: str, **more: Any) -> dict[str, Any] | None:
        pod = self.pod(namespace, **more)
        return pod if pod["metadata"].get("labels", {}).get("llmobs.dev/injected") == "true" else None


@pytest.fixture(scope="module")
def admission(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Admission]:
    folder = tmp_path_factory.mktemp("admission")
    server = ApiServer(folder)
    made = None
    try:
        server.start()
        install(server, folder)
        made = Admission(server, folder)
        made.start()
        made.configure()
        yield made
    finally:
        if made is not None:
            made.end()
        server.end()


def test_a_pod_is_instrumented_and_says_by_whom(admission: Admission) -> None:
    namespace = admission.namespace()
    policy = admission.policy(namespace)
    pod = until("the pod is instrumented", lambda: admission.injected(namespace))
    marks = pod["metadata"]["annotations"]
    assert marks["llmobs.dev/policy"] == f"{namespace}/p"
    assert marks["llmobs.dev/policy-revision"] == f"{policy['metadata']['uid']}.{policy['metadata']['generation']}"
    assert [item["name"] for item in pod["spec"]["initContainers"]] == ["llmobs-python"]
    env = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}
    assert env["LLMOBS_ENDPOINT"] == f"http://llmobs-gateway.{SYSTEM}.svc:4318"
    assert env["PYTHONPATH"] == "/llmobs/python"


def test_a_restricted_namespace_takes_the_instrumented_pod(admission: Admission) -> None:
    namespace = admission.namespace(**{"pod-security.kubernetes.io/enforce": "restricted"})
    admission.policy(namespace)
    container = {"securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}}
    secure = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    until("the pod is instrumented", lambda: admission.injected(namespace, container=container, securityContext=secure))


@pytest.mark.parametrize(
    ("labels", "more"),
    [
        ({"llmobs.dev/inject": "false"}, {}),
        ({}, {"hostNetwork": True}),
        ({}, {"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}, "nodeName": "n"}),
        ({"tier": "db"}, {}),
    ],
    ids=["opted out", "host network", "mirror pod", "not selected"],
)
def test_a_pod_that_is_not_meant_stays_as_it_came(admission: Admission, labels: dict[str, str], more: dict[str, Any]) -> None:
    namespace = admission.namespace()
    admission.policy(namespace, {"selector": {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["db"]}]}})
    until("the policy has arrived", lambda: admission.injected(namespace, name="canary"))
    pod = admission.pod(namespace, labels=labels, **more)
    assert "initContainers" not in pod["spec"]
    assert "llmobs.dev/injected" not in pod["metadata"].get("labels", {})


def test_an_excluded_namespace_is_never_asked_about(admission: Admission) -> None:
    namespace = admission.namespace(**{"llmobs.dev/exclude": "true"})
    admission.policy(namespace)
    other = admission.namespace()
    admission.policy(other)
    until("policies have arrived", lambda: admission.injected(other))
    assert admission.injected(namespace) is None


def test_a_policy_that_changes_or_goes_is_followed(admission: Admission) -> None:
    namespace = admission.namespace()
    admission.policy(namespace)
    until("the pod is instrumented", lambda: admission.injected(namespace))
    path = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities/p"
    admission.server.merge(path, {"spec": {"injection": {"mode": "Disabled"}}})
    until("it is switched off", lambda: admission.injected(namespace) is None)
    admission.server.merge(path, {"spec": {"injection": {"mode": "Auto"}}})
    until("it is switched on", lambda: admission.injected(namespace))
    admission.server.delete(path)
    until("it is gone", lambda: admission.injected(namespace) is None)


def test_a_label_on_the_namespace_is_followed(admission: Admission) -> None:
    namespace = admission.namespace()
    admission.policy(namespace)
    until("the pod is instrumented", lambda: admission.injected(namespace))
    admission.server.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"llmobs.dev/inject": "false"}}})
    until("the namespace is opted out", lambda: admission.injected(namespace) is None)


def test_while_the_webhook_is_away_pods_start_bare_and_then_it_goes_on(admission: Admission) -> None:
    namespace = admission.namespace()
    admission.policy(namespace)
    until("the pod is instrumented", lambda: admission.injected(namespace))
    admission.end()
    assert admission.injected(namespace) is None
    admission.start()
    until("the pod is instrumented again", lambda: admission.injected(namespace))


def test_the_chart_gives_every_right_that_was_needed(admission: Admission) -> None:
    assert re.findall("forbidden", admission.log()) == []


def test_the_api_server_may_go_away(admission: Admission) -> None:
    namespace = admission.namespace()
    admission.policy(namespace)
    until("the pod is instrumented", lambda: admission.injected(namespace))
    admission.server.stop()
    admission.server.start()
    after = admission.namespace()
    admission.policy(after)
    until("policies of afterwards arrive", lambda: admission.injected(after))
    assert admission.injected(namespace)
