"""Pods of every shape through the real webhook into a real API server: instrumented whole, or left as they were, and never refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.cluster.admission import Admission
from tests.cluster.apiserver import until
from tests.cluster.test_admission import admission

__all__ = ["admission"]

pytestmark = pytest.mark.apiserver

APP = {"name": "app", "image": "example.com/app:1"}
NAME_FILE = {"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}
LIMIT = 262_144
"""Bytes of all annotations of an object."""


def pod(*containers: dict[str, Any], meta: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web", **(meta or {})}, "spec": {"containers": list(containers) or [APP], **spec}}


def app(**more: Any) -> dict[str, Any]:
    return {**APP, **more}


def owner(kind: str, name: str) -> dict[str, Any]:
    reference = {"apiVersion": "batch/v1" if kind == "Job" else "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": True}
    return {"ownerReferences": [reference]}


SHAPES: dict[str, dict[str, Any]] = {
    "plain": pod(),
    "50 containers": pod(*(app(name=f"app-{index}") for index in range(50))),
    "60 KB of environment": pod(app(env=[{"name": f"V{index}", "value": "x" * 1000} for index in range(60)])),
    "one variable of 60 KB": pod(app(env=[{"name": "V", "value": "x" * 60_000}])),
    "names of 63 characters": pod(
        app(name="a" * 63, volumeMounts=[{"name": "v" * 63, "mountPath": "/v"}]),
        meta={"name": "n" * 63},
        volumes=[{"name": "v" * 63, "emptyDir": {}}],
    ),
    "a name of 253 characters": pod(meta={"name": ".".join(["n" * 63] * 3 + ["n" * 61])}),
    "generateName only": pod(meta={"name": None, "generateName": "web-"}),
    "of a Job": pod(meta=owner("Job", "nightly-29700000"), restartPolicy="Never"),
    "of a Job that may fail": pod(meta=owner("Job", "once"), restartPolicy="OnFailure", activeDeadlineSeconds=60),
    "of a ReplicaSet": pod(meta={**owner("ReplicaSet", "web-5d4f"), "labels": {"pod-template-hash": "5d4f"}}),
    "shareProcessNamespace": pod(app(), app(name="side"), shareProcessNamespace=True),
    "fsGroup": pod(securityContext={"fsGroup": 2000, "fsGroupChangePolicy": "OnRootMismatch", "supplementalGroups": [3000]}),
    "root": pod(securityContext={"runAsUser": 0}),
    "another user": pod(app(securityContext={"runAsUser": 1001, "runAsGroup": 1001}), securityContext={"runAsNonRoot": True}),
    "readOnlyRootFilesystem": pod(app(securityContext={"readOnlyRootFilesystem": True})),
    "privileged": pod(app(securityContext={"privileged": True}), hostPID=True),
    "a user namespace": pod(hostUsers=False),
    "a native sidecar": pod(initContainers=[app(name="proxy", restartPolicy="Always", startupProbe={"exec": {"command": ["true"]}})]),
    "ten init containers": pod(initContainers=[app(name=f"init-{index}") for index in range(10)]),
    "a scheduling gate": pod(schedulingGates=[{"name": "example.com/wait"}]),
    "a node of its own": pod(nodeName="n1", tolerations=[{"operator": "Exists"}]),
    "a dynamic resource": pod(app(resources={"claims": [{"name": "gpu"}]}), resourceClaims=[{"name": "gpu", "resourceClaimName": "gpu"}]),
    "resources of the pod": pod(app(resources={"limits": {"cpu": "1"}}), resources={"limits": {"cpu": "2", "memory": "1Gi"}}),
    "huge pages": pod(app(resources={"limits": {"hugepages-2Mi": "4Mi", "memory": "1Gi", "cpu": "1"}})),
    "a block device": pod(
        app(volumeDevices=[{"name": "disk", "devicePath": "/dev/x"}]),
        volumes=[{"name": "disk", "persistentVolumeClaim": {"claimName": "c"}}],
    ),
    "projected volumes": pod(
        app(volumeMounts=[{"name": "name", "mountPath": "/var/run/name", "readOnly": True}]),
        volumes=[{"name": "name", "projected": {"sources": [{"downwardAPI": {"items": [NAME_FILE]}}]}}],
    ),
    "an empty environment": pod(app(env=[], volumeMounts=[]), volumes=[], initContainers=[]),
    "variables of every source": pod(
        app(
            env=[
                {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
                {"name": "C", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": True}}},
                {"name": "D", "value": "$(A) $(UNKNOWN) $$(B)"},
                {"name": "A", "value": "twice"},
            ],
            envFrom=[{"prefix": "P_", "configMapRef": {"name": "c"}}, {"secretRef": {"name": "s"}}],
        )
    ),
}


@pytest.fixture(scope="module")
def place(admission: Admission) -> str:
    """A namespace with a policy that has arrived."""
    return governed(admission)


def governed(admission: Admission, **spec: Any) -> str:
    name = admission.namespace()
    admission.policy(name, spec)
    until("the policy has arrived", lambda: admission.injected(name))
    return name


def sent(admission: Admission, place: str, body: dict[str, Any], *, inject: bool = True, dry: bool = True) -> tuple[int, Any]:
    body = copy.deepcopy(body)
    if not inject:
        body["metadata"].setdefault("labels", {})["llmobs.dev/inject"] = "false"
    return admission.server.request("POST", f"/api/v1/namespaces/{place}/pods{'?dryRun=All' if dry else ''}", body)


def without_ours(stored: dict[str, Any]) -> dict[str, Any]:
    """The spec of a pod without what we add: what is left is the user's, as the server completes it."""
    spec = copy.deepcopy(stored["spec"])
    for field in ("initContainers", "volumes"):
        spec[field] = [item for item in spec.get(field) or [] if item["name"] != "llmobs-python"]
    for container in [*spec["containers"], *spec["initContainers"]]:
        for field, ours in (("env", ("LLMOBS_", "PYTHONPATH")), ("volumeMounts", ("llmobs-",))):
            container[field] = [item for item in container.get(field) or [] if not item["name"].startswith(ours)]
    return spec


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_instrumented_whole(admission: Admission, place: str, shape: str) -> None:
    status, bare = sent(admission, place, SHAPES[shape], inject=False)
    assert status == 201, bare

    status, stored = sent(admission, place, SHAPES[shape])

    assert status == 201, stored
    assert stored["metadata"]["labels"]["llmobs.dev/injected"] == "true"
    assert stored["status"]["qosClass"] == bare["status"]["qosClass"]
    assert without_ours(stored) == without_ours(bare)
    for container in stored["spec"]["containers"]:
        names = [item["name"] for item in container["env"]]
        assert {"LLMOBS_ENDPOINT", "LLMOBS_RESOURCE_ATTRIBUTES", "PYTHONPATH"} <= set(names)
        assert [item["mountPath"] for item in container["volumeMounts"] if item["name"] == "llmobs-python"] == ["/llmobs"]


@pytest.mark.parametrize(("delivery", "mode"), [("InitContainer", "Shared"), ("ImageVolume", "Shared"), ("InitContainer", "Sidecar")])
def test_a_restricted_namespace_takes_any_user(admission: Admission, delivery: str, mode: str) -> None:
    place = governed(admission, injection={"delivery": delivery}, collector={"mode": mode})
    path = f"/api/v1/namespaces/{place}"
    admission.server.merge(path, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}})
    secure = app(securityContext={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}})
    for user in (1, 1000, 2**31 - 1, None):
        context = {"runAsNonRoot": True, "runAsUser": user, "seccompProfile": {"type": "RuntimeDefault"}}
        status, stored = sent(admission, place, pod(secure, securityContext=context))
        assert status == 201, stored
        assert stored["metadata"]["labels"]["llmobs.dev/injected"] == "true"
        assert bool(stored["spec"].get("initContainers")) == (delivery == "InitContainer")


@pytest.mark.parametrize(
    "body",
    [
        pod(meta={"annotations": {"example.com/note": "x" * (LIMIT - len("example.com/note"))}}),
        pod(meta={"annotations": {"example.com/note": "ü" * (LIMIT // 2 - 20)}}),
        pod(*(app(name=f"app-{index}") for index in range(1500))),
        pod(app(env=[{"name": f"V{index}", "value": "x" * 1000} for index in range(1440)])),
    ],
    ids=["annotations", "annotations of two bytes each", "1500 containers", "1.4 MB of environment"],
)
def test_a_pod_that_would_get_too_large_is_left_alone(admission: Admission, place: str, body: dict[str, Any]) -> None:
    """Stored for real: what etcd takes shows in no dry run."""
    status, stored = sent(admission, place, body, dry=False)

    assert status == 201, stored
    admission.server.delete(f"/api/v1/namespaces/{place}/pods/web?gracePeriodSeconds=0")
    assert "llmobs.dev/injected" not in stored["metadata"].get("labels", {})
    assert [item.get("env") for item in stored["spec"]["containers"]] == [item.get("env") for item in body["spec"]["containers"]]


@pytest.mark.parametrize(
    "body",
    [
        pod(meta={"annotations": {"example.com/note": "x" * (LIMIT - 600)}}),
        pod(*(app(name=f"app-{index}") for index in range(400))),
        pod(app(env=[{"name": f"V{index}", "value": "x" * 1000} for index in range(1350)])),
    ],
    ids=["annotations", "400 containers", "1.3 MB of environment"],
)
def test_a_pod_that_just_fits_is_instrumented(admission: Admission, place: str, body: dict[str, Any]) -> None:
    status, stored = sent(admission, place, body, dry=False)

    assert status == 201, stored
    admission.server.delete(f"/api/v1/namespaces/{place}/pods/web?gracePeriodSeconds=0")
    assert stored["metadata"]["labels"]["llmobs.dev/injected"] == "true"


def test_ephemeral_containers_are_left_alone(admission: Admission, place: str) -> None:
    path = f"/api/v1/namespaces/{place}/pods"
    status, stored = sent(admission, place, SHAPES["shareProcessNamespace"], dry=False)
    assert status == 201, stored
    debugger = {"name": "debugger", "image": "example.com/debug", "targetContainerName": "app"}
    patch = {"spec": {"ephemeralContainers": [debugger]}}

    kind = "application/strategic-merge-patch+json"
    status, after = admission.server.request("PATCH", f"{path}/web/ephemeralcontainers", patch, content=kind)

    admission.server.delete(f"{path}/web?gracePeriodSeconds=0")
    assert status == 200, after
    [found] = after["spec"]["ephemeralContainers"]
    assert ("env" in found, "volumeMounts" in found) == (False, False)
    assert after["spec"]["containers"] == stored["spec"]["containers"]


def test_limit_ranges_are_followed(admission: Admission) -> None:
    """A LimitRange that makes eight devices the default would hold up every pod in whose init container none are stated."""
    place = governed(admission)
    one = app(resources={"limits": {"example.com/gpu": "1"}})
    path = f"/api/v1/namespaces/{place}/limitranges"
    admission.server.create(path, {"metadata": {"name": "l"}, "spec": {"limits": [{"type": "Container", "max": {"example.com/gpu": "8"}}]}})

    def gpus() -> str:
        status, stored = sent(admission, place, pod(one))
        assert status == 201, stored
        [ours] = stored["spec"]["initContainers"]
        return str(ours["resources"].get("limits", {}).get("example.com/gpu"))

    until("none is asked for", lambda: gpus() == "0")
