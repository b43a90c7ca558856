"""Pods on the node: restricted ones run, Jobs complete, what crashes by itself crashes as before, a lost webhook hurts nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from demo.kube import Kube

from tests.e2e import workloads as w
from tests.e2e.conftest import World

pytestmark = pytest.mark.node

SERVE = ("python", "-m", "worker.main")


def test_a_restricted_namespace_takes_an_instrumented_pod(world: World) -> None:
    w.namespace(world.kube, "restricted", **{"pod-security.kubernetes.io/enforce": "restricted"})
    w.apply(world.kube, w.deployment("app", "restricted", *SERVE))

    pod = w.until("a restricted pod runs", lambda: _running(world.kube, "restricted", "app"))

    assert w.injected(pod)


def test_an_application_that_crashes_is_left_alone(world: World) -> None:
    w.namespace(world.kube, "crashes")
    w.apply(world.kube, w.deployment("bad", "crashes", "python", "-c", "raise SystemExit(3)"))

    def crashed() -> dict[str, Any] | None:
        pod = w.pod(world.kube, "crashes", "bad")
        return pod if pod and w.status(pod).get("restartCount", 0) >= 2 else None

    pod = w.until("it crashed twice", crashed)
    main, ours = w.status(pod), w.status(pod, "llmobs-python", "initContainerStatuses")
    ended = main.get("lastState", {}).get("terminated") or main["state"]["terminated"]

    assert ended["exitCode"] == 3
    assert ours["state"]["terminated"]["exitCode"] == 0
    assert world.kube.get("deployment", "bad", "-n", "crashes")["metadata"]["generation"] == 1
    assert w.condition(world.kube, "crashes", "InjectionReady") == ("True", "Injected")


INTOLERANT = "import os, time; 'LLMOBS_ENDPOINT' in os.environ and os._exit(3); time.sleep(3600)"
"""An application that can't bear to be instrumented."""


def test_a_workload_that_crashes_because_of_us_runs_again_without_and_a_person_decides(world: World) -> None:
    kube = world.kube
    w.namespace(kube, "intolerant", spec={"injection": {"rollback": {"restarts": 1}}})
    w.apply(kube, w.deployment("app", "intolerant", "python", "-c", INTOLERANT))

    pod = w.until("it runs without", lambda: (found := _running(kube, "intolerant", "app")) and not w.injected(found) and found)

    assert w.status(pod)["restartCount"] == 0
    w.until("the policy says so", lambda: w.condition(kube, "intolerant", "InjectionReady") == ("False", "RolledBack"))
    told = w.until("an Event says so", lambda: kube.get("events", "-n", "intolerant", "--field-selector=reason=RolledBack")["items"])
    assert told[0]["involvedObject"]["name"] == "app"
    template = kube.get("deployment", "app", "-n", "intolerant")["spec"]["template"]
    assert "llmobs.dev/rolled-back" in template["metadata"]["annotations"]


def test_without_the_webhook_pods_start_bare_and_the_policy_says_so(world: World) -> None:
    kube = world.kube
    w.namespace(kube, "away")
    kube.run("scale", "deployment", "llmobs-webhook", "-n", "llmobs-system", "--replicas=0")
    w.until(
        "the webhook is gone", lambda: not kube.get("pods", "-n", "llmobs-system", "-l", "app.kubernetes.io/component=webhook")["items"]
    )
    try:
        w.apply(kube, w.deployment("bare", "away", *SERVE))
        pod = w.until("a pod runs without the webhook", lambda: _running(kube, "away", "bare"))
        assert not w.injected(pod)
        w.until("the policy says so", lambda: (w.condition(kube, "away", "InjectionReady") or ("", ""))[0] == "False")
    finally:
        kube.run("scale", "deployment", "llmobs-webhook", "-n", "llmobs-system", "--replicas=2")
    w.until(
        "the webhook is back",
        lambda: kube.get("deployment", "llmobs-webhook", "-n", "llmobs-system")["status"].get("availableReplicas") == 2,
    )

    w.until("new pods are instrumented again", lambda: _restarted(kube, "away", "bare"))
    w.until("the policy is content", lambda: w.condition(kube, "away", "InjectionReady") == ("True", "Injected"))


def test_a_missing_secret_stops_the_rollout_and_the_last_good_gateway_serves(world: World) -> None:
    kube = world.kube
    destination = {"name": "vault", "otlp": {"endpoint": "https://otlp.example.com", "credentialsSecretRef": {"name": "not-there"}}}
    fleet = {"apiVersion": "llmobs.dev/v1alpha1", "kind": "ClusterLLMObservability", "metadata": {"name": "vault"}}
    w.namespace(kube, "vaulted")
    w.until("the gateway has settled", lambda: w.condition(kube, "vaulted", "CollectorReady") == ("True", "RolledOut"))
    before = _gateway(kube)
    assert before
    try:
        w.apply(kube, {**fleet, "spec": {"priority": -1, "destinations": [destination]}})
        asked = json.dumps({"spec": {"backends": [{"name": "team", "destination": "vault"}]}})
        kube.run("patch", "llmobs", "all", "-n", "vaulted", "--type=merge", "-p", asked)
        w.until("the condition names the Secret", lambda: w.condition(kube, "vaulted", "CollectorReady") == ("False", "SecretMissing"))
        assert before <= _gateway(kube)
    finally:
        kube.run("delete", "llmobs", "all", "-n", "vaulted")
        kube.run("delete", "cllmobs", "vault")
    w.until("the gateway has settled", lambda: w.condition(kube, "restricted", "CollectorReady") == ("True", "RolledOut"))


def _running(kube: Kube, place: str, app: str) -> dict[str, Any] | None:
    pod = w.pod(kube, place, app)
    return pod if pod and "running" in w.status(pod).get("state", {}) else None


def _restarted(kube: Kube, place: str, app: str) -> bool:
    """Whether the app's pod is instrumented; while it is not, delete it so that another is made."""
    pod = _running(kube, place, app)
    if pod is None or "deletionTimestamp" in pod["metadata"]:
        return False
    if not w.injected(pod):
        kube.run("delete", "pod", pod["metadata"]["name"], "-n", place)
    return w.injected(pod)


def _gateway(kube: Kube) -> set[str]:
    """The gateway's pods that are ready and not on their way out."""
    pods = kube.get("pods", "-n", "llmobs-system", "-l", "app.kubernetes.io/component=gateway")["items"]
    staying = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return {pod["metadata"]["name"] for pod in staying if w.status(pod, "collector").get("ready")}
