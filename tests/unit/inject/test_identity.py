"""Who a container is: workloads from owner names, versions from images, and the same from a file as from a live pod."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest
from llmobs.api.effective import policy
from llmobs.api.workload import Workload
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import decide
from llmobs.inject.identity import image_version, workload
from llmobs.inject.patch import encoded
from llmobs.inject.pod import Meta, Owner, decode
from llmobs.inject.select import namespace
from llmobs.inject.workload import patched, relocated, seen

HASH = "6b7f9d4c5d"


def meta(kind: str, name: str, *, controller: bool = True, **labels: str) -> Meta:
    return Meta(labels=labels, owner_references=[Owner(kind=kind, name=name, controller=controller)])


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (meta("ReplicaSet", f"api-{HASH}", **{"pod-template-hash": HASH}), Workload("Deployment", "api")),
        (meta("ReplicaSet", f"api-{HASH}", **{"pod-template-hash": "other"}), Workload("ReplicaSet", f"api-{HASH}")),
        (meta("ReplicaSet", "api"), Workload("ReplicaSet", "api")),
        (meta("StatefulSet", "db"), Workload("StatefulSet", "db")),
        (meta("DaemonSet", "agent"), Workload("DaemonSet", "agent")),
        (meta("Job", "nightly-29721960"), Workload("CronJob", "nightly")),
        (meta("Job", "nightly-report-27000000"), Workload("CronJob", "nightly-report")),
        (meta("Job", "etl-20261121"), Workload("Job", "etl-20261121")),
        (meta("Job", "etl-297219600"), Workload("Job", "etl-297219600")),
        (meta("Job", "29721960"), Workload("Job", "29721960")),
        (meta("Rollout", "api"), None),
        (meta("Job", "etl", controller=False), None),
        (Meta(), None),
    ],
)
def test_workload_behind_a_pod(given: Meta, want: Workload | None) -> None:
    assert workload(given) == want


@pytest.mark.parametrize(
    ("image", "want"),
    [
        ("app", ""),
        ("app:1.2", "1.2"),
        ("registry.example.com:5000/shop/app", ""),
        ("registry.example.com:5000/shop/app:1.2", "1.2"),
        ("shop/app@sha256:0a1b", "sha256:0a1b"),
        ("registry:5000/app:1.2@sha256:0a1b", "1.2@sha256:0a1b"),
        ("", ""),
    ],
)
def test_version_of_an_image(image: str, want: str) -> None:
    assert image_version(image) == want


TEMPLATE = {"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}}


def controlled(kind: str, name: str, **labels: str) -> dict[str, Any]:
    """A pod as its controller creates it."""
    owner = {"apiVersion": "v1", "kind": kind, "name": name, "uid": "1", "controller": True}
    return {
        "metadata": {"generateName": f"{name}-", "labels": {"app": "api", **labels}, "ownerReferences": [owner]},
        "spec": TEMPLATE["spec"],
    }


@pytest.mark.parametrize(
    ("kind", "live"),
    [
        ("Deployment", controlled("ReplicaSet", f"api-{HASH}", **{"pod-template-hash": HASH})),
        ("ReplicaSet", controlled("ReplicaSet", "api")),
        ("StatefulSet", controlled("StatefulSet", "api", **{"apps.kubernetes.io/pod-index": "3"})),
        ("DaemonSet", controlled("DaemonSet", "api", **{"controller-revision-hash": "77"})),
        ("Job", controlled("Job", "api", **{"batch.kubernetes.io/job-name": "api"})),
        ("CronJob", controlled("Job", "api-29721960", **{"batch.kubernetes.io/job-name": "api-29721960"})),
    ],
)
def test_a_workload_in_a_file_is_the_same_service_as_its_live_pods(kind: str, live: dict[str, Any]) -> None:
    spec: dict[str, Any] = {"jobTemplate": {"spec": {"template": TEMPLATE}}} if kind == "CronJob" else {"template": TEMPLATE}
    body = {"kind": kind, "metadata": {"name": "api", "namespace": "team-a"}, "spec": spec}
    found = seen(body)

    from_file = attributes(found.pod)

    assert from_file == attributes(live)
    assert from_file["service.name"] == "api"
    assert from_file[f"k8s.{kind.lower()}.name"] == "api"


def attributes(pod: dict[str, Any]) -> dict[str, str]:
    own = policy({"metadata": {"name": "p", "namespace": "team-a"}, "spec": {}}, [], {})
    where = namespace("team-a", {}, [compiled(own, Platform())])
    operations = json.loads(encoded(decide(decode(json.dumps(pod).encode()), where).operations))
    env = next(item["value"] for item in operations if item["path"] == "/spec/containers/0/env")
    text = next(item["value"] for item in env if item["name"] == "LLMOBS_RESOURCE_ATTRIBUTES")
    return {unquote(key): unquote(value) for key, _, value in (pair.partition("=") for pair in text.split(","))}


def test_what_a_controller_adds_does_not_stay_in_the_template() -> None:
    body = {"kind": "CronJob", "metadata": {"name": "n"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": TEMPLATE["spec"]}}}}}
    found = seen(body)
    own = policy({"metadata": {"name": "p"}, "spec": {}}, [], {})
    decision = decide(decode(json.dumps(found.pod).encode()), namespace("default", {}, [compiled(own, Platform())]))

    template = patched(body, relocated(decision.operations, body, found.path))["spec"]["jobTemplate"]["spec"]["template"]

    assert template["metadata"]["labels"] == {"llmobs.dev/injected": "true"}
    assert set(template["metadata"]) == {"labels", "annotations"}
