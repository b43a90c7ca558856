"""The controller as a process, with the rights of the chart: what it makes and what it reports."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest
from llmobs.api.conditions import ConditionType

from tests.cluster.apiserver import until
from tests.cluster.installation import SYSTEM
from tests.cluster.world import GATEWAY, World

pytestmark = pytest.mark.apiserver

KINDS = [kind.value for kind in ConditionType]

_numbers = itertools.count()


def test_the_gateway_is_created_and_belongs_to_the_chart(world: World) -> None:
    until("the gateway's Deployment exists or the controller ended", lambda: world.server.get(GATEWAY) or not world.controller.running)
    assert world.controller.running, world.controller.log()[-3000:]
    settings = world.server.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/llmobs-settings")
    for path in (
        GATEWAY,
        f"/api/v1/namespaces/{SYSTEM}/services/llmobs-gateway",
        f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/llmobs-gateway",
        f"/apis/policy/v1/namespaces/{SYSTEM}/poddisruptionbudgets/llmobs-gateway",
        f"/apis/networking.k8s.io/v1/namespaces/{SYSTEM}/networkpolicies/llmobs-gateway",
    ):
        [owner] = world.server.get(path)["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("ConfigMap", settings["metadata"]["uid"])


def test_without_prometheus_operator_everything_else_works(world: World) -> None:
    path = world.policy(world.namespace())
    said = world.condition(path, "RulesReady", "Unknown", "PrometheusOperatorNotInstalled")
    assert "prometheus-operator" in said
    world.condition(path, "Accepted", "True", "Accepted")
    world.condition(path, "DashboardsReady", "True", "Applied")
    world.condition(path, "CollectorReady", "Unknown", "RollingOut")
    world.condition(path, "WithinBudget", "True", "NoBudget")
    world.condition(path, "InjectionReady", "False", "NotAvailable")
    assert "MutatingWebhookConfiguration" in world.condition(path, "Ready", "False", "NotReady")


def test_a_status_is_never_half_the_truth(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)

    def newest() -> Any:
        body = world.server.get(path)
        status = body.get("status", {})
        return status if status.get("observedGeneration") == body["metadata"]["generation"] else None

    for generation in (1, 2):
        status = until("a status of the newest generation", newest)
        judged = {item["type"]: item["observedGeneration"] for item in status["conditions"]}
        assert judged == dict.fromkeys(KINDS, generation)
        world.policy(namespace, {"attributes": {"team": "a"}})


def test_a_policy_gets_its_dashboard_and_owns_it(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)
    [made] = until("the dashboard exists", lambda: world.dashboards(namespace))
    [owner] = made["metadata"]["ownerReferences"]
    assert owner["uid"] == world.server.get(path)["metadata"]["uid"]
    world.policy(namespace, {"dashboards": {"delivery": "None"}})
    until("the dashboard is pruned", lambda: not world.dashboards(namespace))


def test_nothing_of_ours_stands_on_the_resource_itself(world: World) -> None:
    path = world.policy(world.namespace())
    world.condition(path, "Accepted", "True", "Accepted")
    meta = world.server.get(path)["metadata"]
    assert meta.get("finalizers", []) == []
    assert meta.get("annotations", {}) == {}


def test_drift_is_undone(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)
    world.condition(path, "DashboardsReady", "True", "Applied")
    [made] = world.dashboards(namespace)
    where = f"/api/v1/namespaces/{namespace}/configmaps/{made['metadata']['name']}"
    key = next(iter(made["data"]))
    world.server.merge(where, {"data": {key: "by hand"}})
    until("what was changed by hand is undone", lambda: world.server.get(where)["data"] == made["data"])
    world.server.delete(where)
    until("what was deleted is back", lambda: world.server.get(where))


def test_pods_are_counted_with_reasons(world: World) -> None:
    namespace = world.namespace()
    web = {"tier": "web"}
    world.pod(namespace, "elder", labels=web)
    path = world.policy(namespace, {"selector": {"matchLabels": {"tier": "web"}}})
    created = world.server.get(path)["metadata"]["creationTimestamp"]
    world.condition(path, "InjectionReady", "False", "NotAvailable")
    uid, generation = (world.server.get(path)["metadata"][key] for key in ("uid", "generation"))
    injected = {**web, "llmobs.dev/injected": "true"}
    for name, revision in (("new", f"{uid}.{generation}"), ("old", f"{uid}.0")):
        world.pod(namespace, name, labels=injected)
        marks = {"llmobs.dev/policy": f"{namespace}/p", "llmobs.dev/policy-revision": revision}
        world.server.merge(f"/api/v1/namespaces/{namespace}/pods/{name}", {"metadata": {"annotations": marks}})
    world.pod(namespace, "host", labels=web, hostNetwork=True)
    world.pod(namespace, "never", labels={**web, "llmobs.dev/inject": "false"})
    until("a second later than the policy", lambda: datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") > created)
    world.pod(namespace, "bare", labels=web)
    world.pod(namespace, "other")
    wanted = {"matched": 6, "injected": 2, "outdated": 1, "skipped": 4}
    until("all pods are counted", lambda: world.server.get(path)["status"].get("pods") == wanted)
    status = world.server.get(path)["status"]
    assert status["injected"] == "2/6"
    found = {item["reason"]: (item["count"], item["example"]) for item in status["skipped"]}
    assert found == {"HostNetwork": (1, "host"), "OptedOut": (1, "never"), "Missed": (1, "bare"), "BeforePolicy": (1, "elder")}
    where = f'k8s_namespace="{namespace}",policy="p"'
    lines = world.controller.ask("/metrics")[1].splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if line.startswith("llmobs_pods") and where in line)
    states = {"injected": "2.0", "outdated": "1.0", "skipped": "4.0", "missed": "1.0"}
    reasons = dict.fromkeys(("HostNetwork", "OptedOut", "Missed", "BeforePolicy"), "1.0")
    assert told == {
        **{f'llmobs_pods{{{where},state="{state}"}}': count for state, count in states.items()},
        **{f'llmobs_pods_skipped{{{where},reason="{reason}"}}': count for reason, count in reasons.items()},
    }

    asked = {"metadata": {"annotations": {"instrumentation.opentelemetry.io/inject-python": "true"}}}
    world.server.merge(f"/api/v1/namespaces/{namespace}", asked)
    expected = {"HostNetwork": 1, "OptedOut": 1, "OtherAgent": 2}

    def skipped() -> dict[str, int]:
        return {item["reason"]: item["count"] for item in world.server.get(path)["status"]["skipped"]}

    until("what the namespace asks another agent for is known", lambda: skipped() == expected)


def test_of_two_policies_for_one_pod_the_loser_is_told(world: World) -> None:
    namespace = world.namespace()
    wide, narrow = world.policy(namespace, {}, "wide"), world.policy(namespace, {"selector": {"matchLabels": {"app": "web"}}}, "narrow")
    world.condition(wide, "Accepted", "True", "Accepted")
    world.pod(namespace, "web")
    assert f"{namespace}/narrow" in world.condition(wide, "Accepted", "True", "Shadowed")
    world.condition(narrow, "Accepted", "True", "Accepted")
    events = until("the Event", lambda: world.server.get(f"/api/v1/namespaces/{namespace}/events")["items"])
    assert [(item["reason"], item["involvedObject"]["name"]) for item in events] == [("Shadowed", "wide")]


def test_the_gateway_is_reported_in_the_collectors_own_words(world: World) -> None:
    path = world.policy(world.namespace())
    world.condition(path, "CollectorReady", "Unknown", "RollingOut")
    deployment = world.server.get(GATEWAY)
    name = f"llmobs-gateway-{next(_numbers)}"
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    pods = f"/api/v1/namespaces/{SYSTEM}/pods"
    container = {"name": "collector", "image": "example.com/collector"}
    first = {**container, "name": "validate"}
    pod = {"metadata": {"name": name, "labels": labels}, "spec": {"containers": [container], "initContainers": [first]}}
    made = world.server.create(pods, pod)
    ended = {"terminated": {"exitCode": 1, "message": "'exporters' unknown type: \"otlpp\"", "reason": "Error"}}
    state = {"name": "validate", "image": "i", "imageID": "", "ready": False, "restartCount": 1, "state": ended}
    world.server.merge(f"{pods}/{name}/status", {"status": {"phase": "Pending", "initContainerStatuses": [state]}})
    assert 'unknown type: "otlpp"' in world.condition(path, "CollectorReady", "False", "ConfigurationRefused")
    world.server.merge(
        f"{pods}/{name}/status", {"status": {"initContainerStatuses": [{**state, "state": {"waiting": {"reason": "PodInitializing"}}}]}}
    )
    event = {
        "metadata": {"name": f"{name}.1", "namespace": SYSTEM},
        "involvedObject": {"kind": "Pod", "namespace": SYSTEM, "name": name, "uid": made["metadata"]["uid"]},
        "reason": "FailedMount",
        "message": 'MountVolume.SetUp failed for volume "credentials-0" : secret "langfuse" not found',
        "type": "Warning",
    }
    world.server.create(f"/api/v1/namespaces/{SYSTEM}/events", event)
    assert "Secret langfuse" in world.condition(path, "CollectorReady", "False", "SecretMissing")
    world.server.request("DELETE", f"{pods}/{name}?gracePeriodSeconds=0")
    replicas = deployment["spec"]["replicas"]
    figures = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), replicas)
    generation = world.server.get(GATEWAY)["metadata"]["generation"]
    world.server.merge(f"{GATEWAY}/status", {"status": {**figures, "observedGeneration": generation}})
    world.condition(path, "CollectorReady", "True", "RolledOut")


def test_spend_comes_from_prometheus_and_moves_only_when_it_matters(world: World) -> None:
    namespace = world.namespace()
    spec = {"budgets": [{"name": "daily", "period": "Day", "limitUSD": 5}, {"name": "all", "limitUSD": 100}]}
    path = world.policy(namespace, spec)
    world.condition(path, "WithinBudget", "Unknown", "NoSeries")
    answers = world.prometheus.answers
    answers["month_to_date"] = [({"namespace": namespace}, 4.5)]
    daily = {"namespace": namespace, "policy": "p", "budget": "daily", "period": "Day"}
    monthly = {**daily, "budget": "all", "period": "Month"}
    answers["llm_budget_spent_usd"] = [(daily, 2.0), (monthly, 4.5)]
    world.condition(path, "WithinBudget", "True", "WithinBudget")
    status = world.server.get(path)["status"]
    assert status["spend"]["monthToDateUSD"] == 4.5
    assert status["budget"] == "2.00 of 5.00 USD (Day)"
    assert [(item["name"], item["spentUSD"], item["used"], item["state"]) for item in status["budgets"]] == [
        ("daily", 2.0, 0.4, "Within"),
        ("all", 4.5, 0.045, "Within"),
    ]
    version = world.server.get(path)["metadata"]["resourceVersion"]
    answers["llm_budget_spent_usd"] = [(daily, 2.01), (monthly, 4.51)]
    world.quiet(passes=2)
    assert world.server.get(path)["metadata"]["resourceVersion"] == version
    answers["llm_budget_spent_usd"] = [(daily, 4.0), (monthly, 4.51)]
    world.condition(path, "WithinBudget", "True", "BudgetWarning")
    answers["llm_budget_spent_usd"] = [(daily, 5.5), (monthly, 4.51)]
    assert "daily (5.00 USD per Day): exceeded" in world.condition(path, "WithinBudget", "False", "BudgetExceeded")
    assert world.server.get(path)["status"]["state"] == "Exceeded"
    answers.clear()
