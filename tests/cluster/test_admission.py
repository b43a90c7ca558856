"""Admission through the real API server: the real webhook process, fed by its own watches with the chart's rights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.admission import Admission
from tests.cluster.apiserver import ApiServer, until
from tests.cluster.installation import SYSTEM, install

pytestmark = pytest.mark.apiserver


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
