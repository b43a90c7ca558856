"""The controller as a process, with the rights of the chart, on a real API server."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer, define, prometheus_definitions, until
from tests.cluster.installation import SYSTEM, Controller, Prometheus, install

pytestmark = pytest.mark.apiserver

GROUP = "/apis/llmobs.dev/v1alpha1"
GATEWAY = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/llmobs-gateway"
_numbers = itertools.count()


class World:
    """A server with the chart's objects, a Prometheus, and the controller running."""

    def __init__(self, server: ApiServer, controller: Controller, prometheus: Prometheus) -> None:
        self.server, self.controller, self.prometheus = server, controller, prometheus

    def namespace(self) -> str:
        name = f"team-{next(_numbers)}"
        self.server.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def policy(self, namespace: str, spec: dict[str, Any] | None = None, name: str = "p") -> str:
        """Create or change a policy; its path."""
        body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": {"name": name}, "spec": spec or {}}
        path = f"{GROUP}/namespaces/{namespace}/llmobservabilities"
        status, answer = self.server.apply(f"{path}/{name}", body)
        assert status in (200, 201), answer
        return f"{path}/{name}"

    def cluster_wide(self, plural: str, kind: str, spec: dict[str, Any], name: str) -> str:
        body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        status, answer = self.server.apply(f"{GROUP}/{plural}/{name}", body)
        assert status in (200, 201), answer
        return f"{GROUP}/{plural}/{name}"

    def condition(self, path: str, kind: str, status: str, reason: str, *, running: bool = True) -> str:
        """Wait until the condition of the newest generation is so; its message."""

        def found() -> Any:
            assert self.controller.running is running, self.controller.log()[-3000:]
            body = self.server.get(path)
            for item in (body.get("status") or {}).get("conditions") or []:
                if item["type"] == kind and item["observedGeneration"] == body["metadata"]["generation"]:
                    self.last = item
                    if (item["status"], item["reason"]) == (status, reason):
                        return [item["message"]]
            return None

        self.last: Any = None
        try:
            return str(until(f"{kind} {status}/{reason}", found, within=30)[0])
        except pytest.fail.Exception:
            pytest.fail(f"{kind} is not {status}/{reason} but {self.last}; controller: {self.controller.log()[-3000:]}")

    def dashboards(self, namespace: str) -> list[Any]:
        labels = "app.kubernetes.io%2Fmanaged-by%3Dllm-observability-operator"
        return list(self.server.get(f"/api/v1/namespaces/{namespace}/configmaps?labelSelector={labels}")["items"])

    def pod(self, namespace: str, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> None:
        body = {
            "metadata": {"name": name, "labels": {"app": name, **(labels or {})}},
            "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}], **spec},
        }
        self.server.create(f"/api/v1/namespaces/{namespace}/pods", body)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("controller")
    server, prometheus = ApiServer(folder), Prometheus()
    controller = None
    try:
        server.start()
        install(server, folder)
        controller = Controller(server, folder, prometheus=prometheus.url)
        controller.start()
        yield World(server, controller, prometheus)
    finally:
        if controller is not None and controller.running:
            controller.end()
        prometheus.end()
        server.end()


def test_the_gateway_is_created_and_belongs_to_the_chart(world: World) -> None:
    until("the gateway's Deployment exists or the controller ended", lambda: world.server.get(GATEWAY) or not world.controller.running)
    assert world.controller.running, world.controller.log()[-3000:]
    settings = world.server.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/llmobs-settings")
    role = world.server.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/llmobs-controller")
    for path in (
        GATEWAY,
        f"/api/v1/namespaces/{SYSTEM}/services/llmobs-gateway",
        f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/llmobs-gateway",
        f"/apis/policy/v1/namespaces/{SYSTEM}/poddisruptionbudgets/llmobs-gateway",
        f"/apis/networking.k8s.io/v1/namespaces/{SYSTEM}/networkpolicies/llmobs-gateway",
    ):
        [owner] = world.server.get(path)["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("ConfigMap", settings["metadata"]["uid"])
    for plural in ("clusterroles", "clusterrolebindings"):
        [owner] = world.server.get(f"/apis/rbac.authorization.k8s.io/v1/{plural}/llmobs-gateway")["metadata"]["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("ClusterRole", role["metadata"]["uid"])


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


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    path = world.policy(world.namespace(), {"budgets": [{"name": "daily", "period": "Day", "limitUSD": 5}]})
    world.condition(path, "DashboardsReady", "True", "Applied")
    quiet(world, passes=2)
    before, version = world.controller.writes(), world.server.get(path)["metadata"]["resourceVersion"]
    quiet(world, passes=3)
    assert world.controller.writes() == before
    assert world.server.get(path)["metadata"]["resourceVersion"] == version


def quiet(world: World, *, passes: int) -> None:
    """Wait for whole passes of the controller over everything."""
    begun = until("the controller's first pass", world.controller.passes)
    until(f"{passes} passes", lambda: world.controller.passes() >= begun + passes)


def test_an_invalid_resource_keeps_what_it_had_even_through_a_kill(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)
    world.condition(path, "DashboardsReady", "True", "Applied")
    [made] = world.dashboards(namespace)
    world.policy(namespace, {"alerts": {"disabled": ["NoSuchAlert"]}, "dashboards": {"delivery": "None"}})
    said = world.condition(path, "Accepted", "False", "Invalid")
    assert said.startswith("spec.alerts.disabled[0]: 'NoSuchAlert' is not an alert")
    quiet(world, passes=2)
    world.controller.end(signal.SIGKILL)
    world.controller.start()
    quiet(world, passes=2)
    [kept] = world.dashboards(namespace)
    assert kept["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    world.condition(path, "Ready", "False", "NotReady")
    world.policy(namespace, {"dashboards": {"delivery": "None"}})
    world.condition(path, "Accepted", "True", "Accepted")
    until("the dashboard is pruned", lambda: not world.dashboards(namespace))


def test_an_unknown_destination_is_named_and_taken_once_it_is_offered(world: World) -> None:
    path = world.policy(world.namespace(), {"backends": [{"name": "a", "destination": "later"}]})
    said = world.condition(path, "Accepted", "False", "UnknownDestination")
    assert "spec.backends[0].destination: 'later' is not a destination this namespace may use" in said
    offered = {"destinations": [{"name": "later", "otlp": {"endpoint": "https://otlp.example.com"}}]}
    fleet = world.cluster_wide("clusterllmobservabilities", "ClusterLLMObservability", offered, "later")
    world.condition(path, "Accepted", "True", "Accepted")
    until(
        "the fleet resource says who uses it",
        lambda: "destinations in use: later" in world.condition(fleet, "Accepted", "True", "Accepted"),
    )
    world.server.delete(fleet)
    world.condition(path, "Accepted", "False", "UnknownDestination")


def test_what_the_ceiling_lowers_is_said(world: World) -> None:
    path = world.policy(world.namespace(), {"content": {"capture": "Full"}})
    assert "content.capture Full is lowered to None" in world.condition(path, "Accepted", "True", "Restricted")


def test_a_bad_price_list_is_refused_and_the_good_ones_serve(world: World) -> None:
    price = {"model": "acme-70b", "inputPerMillion": 1, "outputPerMillion": 2}
    good = world.cluster_wide("llmpricelists", "LLMPriceList", {"prices": [price]}, "good")
    assert world.condition(good, "Accepted", "True", "Accepted") == "1 prices and 0 aliases are in force"
    bad = world.cluster_wide("llmpricelists", "LLMPriceList", {"prices": [{**price, "model": "acme-70b"}]}, "worse")
    said = world.condition(bad, "Accepted", "False", "Invalid")
    assert "spec.prices[0].model: 'acme-70b' is priced by LLMPriceList good" in said
    assert "Nothing of this list is in force" in said
    world.condition(good, "Ready", "True", "Ready")
    for path in (good, bad):
        world.server.delete(path)


def test_pods_are_counted_with_reasons(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace, {"selector": {"matchLabels": {"tier": "web"}}})
    world.condition(path, "Accepted", "True", "Accepted")
    uid, generation = (world.server.get(path)["metadata"][key] for key in ("uid", "generation"))
    web = {"tier": "web"}
    injected = {**web, "llmobs.dev/injected": "true"}
    for name, revision in (("new", f"{uid}.{generation}"), ("old", f"{uid}.0")):
        world.pod(namespace, name, labels=injected)
        marks = {"llmobs.dev/policy": f"{namespace}/p", "llmobs.dev/policy-revision": revision}
        world.server.merge(f"/api/v1/namespaces/{namespace}/pods/{name}", {"metadata": {"annotations": marks}})
    world.pod(namespace, "host", labels=web, hostNetwork=True)
    world.pod(namespace, "never", labels={**web, "llmobs.dev/inject": "false"})
    world.pod(namespace, "bare", labels=web)
    world.pod(namespace, "other")
    wanted = {"matched": 5, "injected": 2, "outdated": 1, "skipped": 3}
    until("all pods are counted", lambda: world.server.get(path)["status"].get("pods") == wanted)
    status = world.server.get(path)["status"]
    assert status["injected"] == "2/5"
    found = {item["reason"]: (item["count"], item["example"]) for item in status["skipped"]}
    assert found == {"HostNetwork": (1, "host"), "OptedOut": (1, "never"), "NotInjected": (1, "bare")}


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
    quiet(world, passes=2)
    assert world.server.get(path)["metadata"]["resourceVersion"] == version
    answers["llm_budget_spent_usd"] = [(daily, 4.0), (monthly, 4.51)]
    world.condition(path, "WithinBudget", "True", "BudgetWarning")
    answers["llm_budget_spent_usd"] = [(daily, 5.5), (monthly, 4.51)]
    assert "daily (5.00 USD per Day): exceeded" in world.condition(path, "WithinBudget", "False", "BudgetExceeded")
    assert world.server.get(path)["status"]["state"] == "Exceeded"
    answers.clear()


def test_once_prometheus_operator_is_installed_the_rules_follow(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)
    world.condition(path, "RulesReady", "Unknown", "PrometheusOperatorNotInstalled")
    for definition in prometheus_definitions():
        define(world.server, definition)
    world.condition(path, "RulesReady", "True", "Applied")
    rules = "/apis/monitoring.coreos.com/v1/namespaces/{}/prometheusrules"
    assert world.server.get(rules.format(namespace))["items"]
    assert world.server.get(rules.format(SYSTEM))["items"]


def test_the_chart_gives_every_right_that_was_needed(world: World) -> None:
    # before the API server goes away: one that comes back knows no roles for a moment
    assert [line for line in world.controller.log().splitlines() if "forbidden" in line] == []


def test_the_api_server_may_go_away(world: World) -> None:
    before = world.policy(world.namespace())
    world.condition(before, "DashboardsReady", "True", "Applied")
    world.server.stop()
    until("the controller notices", lambda: "not reachable" in world.controller.log())
    world.server.start()
    after = world.policy(world.namespace())
    world.condition(after, "DashboardsReady", "True", "Applied")
    assert world.controller.running


def test_a_kill_at_any_point_is_made_good_by_the_next_start(world: World) -> None:
    namespaces = [world.namespace() for _ in range(6)]
    for namespace in namespaces:
        world.policy(namespace)
    until("the controller is in the middle of it", lambda: any(world.dashboards(namespace) for namespace in namespaces))
    world.controller.end(signal.SIGKILL)
    changed = world.policy(namespaces[0], {"dashboards": {"delivery": "None"}})
    world.controller.start()
    for namespace in namespaces[1:]:
        until("each policy has its dashboard", lambda namespace=namespace: world.dashboards(namespace))
    world.condition(changed, "DashboardsReady", "True", "Disabled")
    assert world.dashboards(namespaces[0]) == []


def test_probes_and_signals(world: World) -> None:
    assert world.controller.ask("/healthz")[0] == 200
    until("the controller is ready", lambda: world.controller.ask("/readyz")[0] == 200)
    assert world.controller.end(signal.SIGTERM) == 0
    world.controller.start()


def test_one_pass_says_by_its_exit_status_whether_all_was_applied(world: World) -> None:
    world.controller.end()
    namespace = world.namespace()
    path = world.policy(namespace)
    done = world.controller.once()
    assert done.returncode == 0, done.stderr
    [made] = world.dashboards(namespace)
    name = made["metadata"]["name"]
    where = f"/api/v1/namespaces/{namespace}/configmaps"
    world.server.delete(f"{where}/{name}")
    world.server.create(where, {"metadata": {"name": name}, "data": {"theirs": "1"}})
    done = world.controller.once()
    assert done.returncode == 1
    assert f"ConfigMap {namespace}/{name} exists and was not made by this operator" in done.stderr
    world.condition(path, "DashboardsReady", "False", "ApplyFailed", running=False)
    world.server.delete(f"{where}/{name}")
    world.server.delete(path)
    assert world.controller.once().returncode == 0


def test_what_was_made_for_a_deleted_resource_goes_without_a_garbage_collector(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)
    assert world.controller.once().returncode == 0
    assert world.dashboards(namespace)
    world.server.delete(path)
    assert world.controller.once().returncode == 0
    assert world.dashboards(namespace) == []
