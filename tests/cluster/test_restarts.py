"""Workloads that crash-loop since they are instrumented, with Kubernetes' own controllers, our controller and our webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.cluster.apiserver import until
from tests.cluster.running import Cluster, cluster

pytestmark = pytest.mark.apiserver

ROLLED_BACK = "llmobs.dev/rolled-back"
WAITED = "llmobs.dev/waited-for"
RESTARTED = "llmobs.dev/restarted-for"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("restarts")) as made:
        yield made


def crash(running: Cluster, namespace: str, app: str, count: int) -> None:
    """Let the instrumented pods of a workload crash-loop."""
    for pod in until(
        f"{count} pods are instrumented", lambda: len(found := running.pods(namespace, app, injected=True)) >= count and found
    ):
        running.live(pod, ready=False, restarts=3)


def test_a_deployment_that_crash_loops_since_it_is_instrumented_is_rolled_back_once(running: Cluster) -> None:
    namespace = running.namespace()
    path = running.workload("Deployment", namespace, "web", replicas=2)
    for pod in until("two pods", lambda: len(found := running.pods(namespace, "web")) == 2 and found):
        running.live(pod)
    policy = running.policy(namespace)
    running.known(namespace)
    running.restart(path)
    crash(running, namespace, "web", 1)
    until("the workload is rolled back", lambda: running.annotation(path, ROLLED_BACK))
    generation = running.server.get(path)["metadata"]["generation"]
    until(
        "its pods are created anew, without", lambda: running.pods(namespace, "web") and not running.pods(namespace, "web", injected=True)
    )
    said = running.condition(policy, "InjectionReady", "False", "RolledBack")
    assert "Deployment/web: crash-looped or did not start when instrumented" in said
    reasons = {item["reason"]: item["count"] for item in running.server.get(policy)["status"]["skipped"]}
    assert reasons["RolledBack"] >= 1
    assert running.events(namespace, "Deployment", "RolledBack") == ["web"]
    where = f'llmobs_pods_skipped{{k8s_namespace="{namespace}",policy="p",reason="RolledBack"}}'
    assert where in running.controller.ask("/metrics")[1]
    running.quiet(passes=3)
    assert running.server.get(path)["metadata"]["generation"] == generation
    assert waited(running, path) == {}, "a crash loop is for a person to look at"

    running.server.merge(path, {"spec": {"template": {"metadata": {"annotations": {ROLLED_BACK: None}}}}})
    until("a person lets it be instrumented again", lambda: running.pods(namespace, "web", injected=True))
    running.quiet(passes=2)
    assert running.annotation(path, ROLLED_BACK) is None


def test_a_workload_whose_pods_wait_for_our_image_starts_without(running: Cluster) -> None:
    namespace = running.namespace()
    policy = running.policy(namespace)
    running.known(namespace)
    path = running.workload("Deployment", namespace, "kept", replicas=1)
    [pod] = until("it is instrumented", lambda: running.pods(namespace, "kept", injected=True))
    running.live(pod, ready=False)
    running.waits(pod, "llmobs-python", "ImagePullBackOff")

    until("the workload is rolled back", lambda: running.annotation(path, ROLLED_BACK))
    until("its pod is created anew, without", lambda: running.pods(namespace, "kept", injected=False))
    said = running.condition(policy, "InjectionReady", "False", "RolledBack")
    assert said.startswith("Deployment/kept (20")
    assert "our image could not be had; tried again by itself" in said
    found = waited(running, path)
    assert (found["times"], ["/python:" in image for image in found["images"]]) == (1, [True])
    running.quiet(passes=2)
    assert running.annotation(path, ROLLED_BACK), "nothing shows yet that the image can be had"

    running.workload("Deployment", namespace, "fresh", replicas=1)
    [sign] = until("another is instrumented", lambda: running.pods(namespace, "fresh", injected=True))
    running.live(sign)
    until("the image can be had, so it is tried again", lambda: running.annotation(path, ROLLED_BACK) is None)
    [pod] = until("its pod is instrumented", lambda: running.pods(namespace, "kept", injected=True))
    running.live(pod)
    until("the Event", lambda: running.events(namespace, "Deployment", "TriedAgain") == ["kept"])
    until("all is well", lambda: not running.pods(namespace, "kept", injected=False))
    running.condition(policy, "InjectionReady", "True", "Injected")


def waited(running: Cluster, path: str) -> dict[str, Any]:
    found = running.server.get(path)["metadata"].get("annotations") or {}
    return dict(json.loads(found.get(WAITED, "{}")))


def test_one_of_those_that_wait_for_our_image_tries_for_all(running: Cluster) -> None:
    """A StatefulSet would lose a pod by trying, and a crash loop is nothing that time mends."""
    namespace = running.namespace()
    running.policy(namespace)
    running.known(namespace)
    value = json.dumps({"images": ["i"], "since": "2026-01-01T00:00:00Z", "times": 1})
    recent = json.dumps({"images": ["i"], "since": datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "times": 6})
    paths = {
        name: running.workload(kind, namespace, name, annotations={WAITED: said} if said else {}, template=_rolled(name), **more)
        for name, kind, said, more in (
            ("set", "StatefulSet", value, {"serviceName": "set"}),
            ("looped", "Deployment", None, {}),
            ("odd", "Deployment", "{", {}),
            ("early", "Deployment", recent, {}),
            ("a", "Deployment", value, {}),
            ("b", "Deployment", value, {}),
        )
    }
    until("one of the two is tried", lambda: [running.annotation(paths[name], ROLLED_BACK) for name in "ab"].count(None) == 1)
    running.quiet(passes=3)
    [tried] = [name for name, path in paths.items() if running.annotation(path, ROLLED_BACK) is None]
    assert tried in ("a", "b")
    [pod] = until("its pod is instrumented", lambda: running.pods(namespace, tried, injected=True))
    running.live(pod, ready=False)
    running.waits(pod, "llmobs-python", "ErrImagePull")
    until("it is rolled back again", lambda: running.annotation(paths[tried], ROLLED_BACK))
    found = waited(running, paths[tried])
    assert (found["times"], found["since"] > "2026-11") == (1, True), "months later it is the first again"


def _rolled(name: str) -> dict[str, Any]:
    containers = [{"name": "app", "image": "example.com/app:1"}]
    return {"metadata": {"labels": {"app": name}, "annotations": {ROLLED_BACK: "u.1"}}, "spec": {"containers": containers}}


def test_a_stateful_set_that_waits_for_a_pod_that_crash_loops_is_freed(running: Cluster) -> None:
    namespace = running.namespace()
    running.policy(namespace)
    running.known(namespace)
    path = running.workload("StatefulSet", namespace, "db", replicas=2, serviceName="db")
    crash(running, namespace, "db", 1)
    until("the workload is rolled back", lambda: running.annotation(path, ROLLED_BACK))
    [first] = until("its first pod is created anew", lambda: running.pods(namespace, "db", injected=False))
    running.live(first)
    until("the second follows", lambda: len(running.pods(namespace, "db", injected=False)) == 2)


def test_a_workload_that_crash_looped_before_is_not_blamed_on_us(running: Cluster) -> None:
    namespace = running.namespace()
    path = running.workload("Deployment", namespace, "poor", replicas=1)
    [pod] = until("a pod", lambda: running.pods(namespace, "poor"))
    running.live(pod, ready=False, restarts=7)
    policy = running.policy(namespace)
    running.condition(policy, "InjectionReady", "True", "PodsBeforePolicy")
    running.known(namespace)
    running.restart(path)
    crash(running, namespace, "poor", 1)
    running.quiet(passes=3)
    assert running.annotation(path, ROLLED_BACK) is None


def test_a_fleets_defaults_restart_and_roll_back_too(running: Cluster) -> None:
    namespace = running.namespace()
    running.server.merge(f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": {"governed": "by-fleet"}}})
    path = running.workload("Deployment", namespace, "web", replicas=1)
    [pod] = until("a pod", lambda: running.pods(namespace, "web"))
    running.live(pod)
    until("it is complete", lambda: running.complete(path))
    spec = {"namespaceSelector": {"matchLabels": {"governed": "by-fleet"}}, "withoutPolicy": "Apply"}
    rolling = {"defaults": {"injection": {"rollout": {"mode": "Rolling"}}}}
    fleet = running.cluster_wide("clusterllmobservabilities", "ClusterLLMObservability", {**spec, **rolling}, "restarts")

    until("what is older is restarted", lambda: running.annotation(path, RESTARTED))
    crash(running, namespace, "web", 1)
    until("the workload is rolled back", lambda: running.annotation(path, ROLLED_BACK))

    said = running.condition(fleet, "InjectionReady", "False", "RolledBack")
    assert said.startswith(f"in {namespace}: Deployment/web: crash-looped or did not start when instrumented")
    assert running.server.get(fleet)["status"]["pods"]["skipped"] >= 1
    assert running.events(namespace, "Deployment", "RolledBack") == ["web"]
    where = f'llmobs_pods_skipped{{k8s_namespace="{namespace}",policy="restarts",reason="RolledBack"}}'
    assert where in running.controller.ask("/metrics")[1]
    running.server.delete(fleet)
    until("nobody counts its pods any more", lambda: where not in running.controller.ask("/metrics")[1])


def test_what_crash_looped_before_is_remembered_when_the_controller_restarts(running: Cluster) -> None:
    namespace = running.namespace()
    path = running.workload("Deployment", namespace, "poor", replicas=1, strategy={"type": "Recreate"})
    [pod] = until("a pod", lambda: running.pods(namespace, "poor"))
    running.live(pod, ready=False, restarts=7)
    policy = running.policy(namespace)
    until("it is noted", lambda: running.server.get(policy).get("status", {}).get("crashLooping") == ["Deployment/poor"])
    running.known(namespace)
    running.controller.end()
    running.restart(path)
    until("the pod that crash-looped is gone", lambda: not running.pods(namespace, "poor", injected=False))
    crash(running, namespace, "poor", 1)

    running.controller.start()

    running.condition(policy, "InjectionReady", "True", "Injected")
    running.quiet(passes=3)
    assert running.annotation(path, ROLLED_BACK) is None
    assert running.server.get(policy)["status"]["crashLooping"] == ["Deployment/poor"]


def test_rollback_can_be_switched_off(running: Cluster) -> None:
    namespace = running.namespace()
    running.policy(namespace, {"injection": {"rollback": {"enabled": False}}})
    running.known(namespace)
    path = running.workload("Deployment", namespace, "web", replicas=1)
    crash(running, namespace, "web", 1)
    running.quiet(passes=3)
    assert running.annotation(path, ROLLED_BACK) is None


def test_stale_workloads_are_restarted_one_after_the_other_and_once(running: Cluster) -> None:
    namespace = running.namespace()
    paths = {name: running.workload("Deployment", namespace, name, replicas=1) for name in ("a", "b", "paused")}

    def settle(name: str, *, injected: bool | None = None) -> None:
        [pod] = until(f"a pod of {name}", lambda: running.pods(namespace, name, injected=injected))[:1]
        running.live(pod)
        until(f"{name} is complete", lambda: running.complete(paths[name]))

    for name in paths:
        settle(name)
    running.server.merge(paths["paused"], {"spec": {"paused": True}})
    policy = running.policy(namespace, {"injection": {"rollout": {"mode": "Rolling"}}})
    running.known(namespace)
    until("the first is restarted", lambda: running.annotation(paths["a"], RESTARTED))
    running.quiet(passes=2)
    assert running.annotation(paths["b"], RESTARTED) is None, "the first is not complete"
    settle("a", injected=True)
    until("the second is restarted", lambda: running.annotation(paths["b"], RESTARTED))
    settle("b", injected=True)
    until("the Events", lambda: sorted(running.events(namespace, "Deployment", "Restarted")) == ["a", "b"])

    spec = {"injection": {"rollout": {"mode": "Rolling"}}, "budgets": [{"name": "daily", "period": "Day", "limitUSD": 5}]}
    generations = [running.server.get(path)["metadata"]["generation"] for path in paths.values()]
    running.policy(namespace, spec)
    running.condition(policy, "InjectionReady", "True", "PodsBeforePolicy")
    running.quiet(passes=2)
    assert [running.server.get(path)["metadata"]["generation"] for path in paths.values()] == generations
    assert running.server.get(policy)["status"]["pods"].get("outdated", 0) == 0
    first = running.annotation(paths["a"], RESTARTED)

    running.policy(namespace, {**spec, "attributes": {"team": "a"}})
    until("what changes pods restarts once more", lambda: running.annotation(paths["a"], RESTARTED) not in (first, None))
    assert running.annotation(paths["paused"], RESTARTED) is None


def test_a_workload_that_is_left_alone_for_no_reason_of_its_owners_is_told_once(running: Cluster) -> None:
    namespace = running.namespace()
    running.policy(namespace)
    running.known(namespace)
    containers = [{"name": "app", "image": "example.com/app:1"}]
    for name, labels, more in (("proxy", {}, {"hostNetwork": True}), ("own", {"llmobs.dev/inject": "false"}, {})):
        template = {"metadata": {"labels": {"app": name, **labels}}, "spec": {"containers": containers, **more}}
        running.workload("Deployment", namespace, name, replicas=2, template=template)
    running.pod(namespace, "alone", hostNetwork=True)
    until("the Deployment is told", lambda: running.events(namespace, "Deployment", "HostNetwork") == ["proxy"])
    until("the pod that nothing controls is told", lambda: running.events(namespace, "Pod", "HostNetwork") == ["alone"])
    running.quiet(passes=2)
    assert len(running.events(namespace, "Deployment", "HostNetwork")) == 1
    assert running.events(namespace, "Deployment", "OptedOut") == []


def test_the_chart_gives_every_right_that_was_needed(running: Cluster) -> None:
    assert [line for line in running.controller.log().splitlines() if "forbidden" in line] == []


def test_without_the_right_the_policy_says_what_it_would_do(running: Cluster) -> None:
    role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/llmobs-controller"
    rules = [item for item in running.server.get(role)["rules"] if "delete" not in item["verbs"] or item["resources"] != ["pods"]]
    rules = [{**item, "verbs": ["get"]} if "statefulsets" in item["resources"] else item for item in rules]
    running.server.merge(role, {"rules": rules})
    namespace = running.namespace()
    policy = running.policy(namespace)
    running.known(namespace)
    path = running.workload("Deployment", namespace, "web", replicas=1)
    crash(running, namespace, "web", 1)
    said = running.condition(policy, "InjectionReady", "False", "RollbackRefused")
    assert "Deployment/web crash-loops or does not start since it is instrumented, and can't be restarted without" in said
    assert "forbidden" in said
    assert running.annotation(path, ROLLED_BACK) is None
