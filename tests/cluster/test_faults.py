"""The controller and what goes wrong: bad input, kills, outages, things in the way."""

from __future__ import annotations

import signal

import pytest
from llmobs.plan.measures import MOST

from tests.cluster.apiserver import define, prometheus_definitions, until
from tests.cluster.installation import SYSTEM
from tests.cluster.world import GATEWAY, World

pytestmark = pytest.mark.apiserver


def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    path = world.policy(world.namespace(), {"budgets": [{"name": "daily", "period": "Day", "limitUSD": 5}]})
    world.condition(path, "DashboardsReady", "True", "Applied")
    world.quiet(passes=2)
    before, version = world.controller.writes(), world.server.get(path)["metadata"]["resourceVersion"]
    world.quiet(passes=3)
    assert world.controller.writes() == before
    assert world.server.get(path)["metadata"]["resourceVersion"] == version


def test_a_restart_writes_nothing(world: World) -> None:
    path = world.policy(world.namespace(), {"budgets": [{"name": "daily", "period": "Day", "limitUSD": 5}]})
    world.condition(path, "DashboardsReady", "True", "Applied")
    world.quiet(passes=2)
    world.controller.end(signal.SIGKILL)
    world.controller.start()
    world.quiet(passes=3)
    assert world.controller.writes() == 0


def test_an_invalid_resource_keeps_what_it_had_even_through_a_kill(world: World) -> None:
    namespace = world.namespace()
    path = world.policy(namespace)
    world.condition(path, "DashboardsReady", "True", "Applied")
    [made] = world.dashboards(namespace)
    world.policy(namespace, {"alerts": {"disabled": ["NoSuchAlert"]}, "dashboards": {"delivery": "None"}})
    said = world.condition(path, "Accepted", "False", "Invalid")
    assert said.startswith("spec.alerts.disabled[0]: 'NoSuchAlert' is not an alert")
    world.quiet(passes=2)
    world.controller.end(signal.SIGKILL)
    world.controller.start()
    world.quiet(passes=2)
    [kept] = world.dashboards(namespace)
    assert kept["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    world.condition(path, "Ready", "False", "NotReady")
    world.policy(namespace, {"dashboards": {"delivery": "None"}})
    world.condition(path, "Accepted", "True", "Accepted")
    until("the dashboard is pruned", lambda: not world.dashboards(namespace))


def test_the_gateway_keeps_the_routes_of_a_refused_policy_through_a_kill(world: World) -> None:
    offered = {"destinations": [{"name": "vault", "otlp": {"endpoint": "https://vault.example.com"}}]}
    fleet = world.cluster_wide("clusterllmobservabilities", "ClusterLLMObservability", offered, "vault")
    namespace = world.namespace()
    path = world.policy(namespace, {"backends": [{"name": "a", "destination": "vault"}]})
    world.condition(path, "Accepted", "True", "Accepted")
    world.policy(namespace, {"backends": [{"name": "a", "destination": "vault"}], "alerts": {"disabled": ["NoSuchAlert"]}})
    world.condition(path, "Accepted", "False", "Invalid")
    world.quiet(passes=2)
    before = world.server.get(GATEWAY)["metadata"]
    assert namespace in world.gateway_configuration()
    world.controller.end(signal.SIGKILL)
    world.controller.start()
    world.quiet(passes=3)
    after = world.server.get(GATEWAY)["metadata"]
    assert (after["generation"], after["resourceVersion"]) == (before["generation"], before["resourceVersion"])
    assert namespace in world.gateway_configuration()
    assert world.server.get(path)["status"]["lastAccepted"]["generation"] == 1
    for made in (path, fleet):
        world.server.delete(made)


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


def test_a_threshold_that_had_to_be_shared_is_told(world: World) -> None:
    namespace = world.namespace()
    odd = [{"name": f"o{index}", "latency": {"target": 0.9, "threshold": f"{1001 + index}ms"}} for index in range(MOST)]
    for at in range(0, MOST, 16):
        world.policy(namespace, {"objectives": odd[at : at + 16]}, f"older-{at}")
    late = [{"name": "answers", "latency": {"target": 0.9, "threshold": "1s100ms"}}]
    path = world.policy(namespace, {"objectives": late}, "younger")
    said = world.condition(path, "RulesReady", "True", "ThresholdShared")
    assert "objective answers asks for 1.1 s and is judged at 1.032 s" in said
    assert "1.032" in str(world.server.get(f"/apis/monitoring.coreos.com/v1/namespaces/{namespace}/prometheusrules/llmobs-younger"))

    # what serves while a newer spec is refused is judged as before
    world.policy(namespace, {"objectives": late, "backends": [{"name": "b", "destination": "nowhere"}]}, "younger")
    world.condition(path, "Accepted", "False", "UnknownDestination")
    assert world.condition(path, "RulesReady", "True", "ThresholdShared") == said


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
