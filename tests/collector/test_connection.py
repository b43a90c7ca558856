"""With a real API server: whose call it is follows from the connection, with the gateway's own rights and no more."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from llmobs.api import names
from llmobs.plan import collector
from llmobs.plan.collector.site import dedicated
from llmobs.plan.inputs import Facts

from tests.chart.helm import manifests
from tests.cluster.apiserver import ApiServer
from tests.collector import points
from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import Gateway
from tests.collector.spans import current, export, span
from tests.fakes.otlp import OTLPReceiver

pytestmark = pytest.mark.apiserver

OURS = "llmobs-system"
PATHS = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "PodDisruptionBudget": "/apis/policy/v1/namespaces/{}/poddisruptionbudgets",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
"""Where each kind is created."""

PODS = {
    "127.0.0.2": ("team-a", "web-6d4cf56db6-x2x9q", ("apps/v1", "ReplicaSet", "web-6d4cf56db6"), "team-a/open", "web", True),
    "127.0.0.3": ("team-a", "store-0", ("apps/v1", "StatefulSet", "store"), "team-a/closed", "store", False),
    "127.0.0.4": ("team-a", "spy", None, "team-b/open", "spy", False),
    "127.0.0.5": ("team-b", "report-abcde", ("batch/v1", "Job", "report"), "team-b/open", "report", True),
    "127.0.0.7": ("team-c", "meter-6d4cf56db6-abcde", ("apps/v1", "ReplicaSet", "meter-6d4cf56db6"), "team-c/metered", "meter", False),
    "127.0.0.6": ("team-b", "agent-x2x9q", ("apps/v1", "DaemonSet", "agent"), "team-b/gone", "agent", True),
}
"""Address -> namespace, pod, owner, policy that is written on it, workload, whether its content is kept."""


@pytest.fixture(scope="module")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    server = ApiServer(tmp_path_factory.mktemp("apiserver"))
    try:
        server.start()
        for space in (OURS, "team-a", "team-b", "team-c"):
            server.create("/api/v1/namespaces", {"metadata": {"name": space}})
        for address, (space, name, owner, policy, *_) in PODS.items():
            _run(server, address, _pod(name, owner, policy), space)
        yield server
    finally:
        server.end()


def _pod(name: str, owner: tuple[str, str, str] | None, policy: str) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name, "annotations": {names.POLICY: policy}, "labels": {"pod-template-hash": "6d4cf56db6"}}
    if owner:
        version, kind, owning = owner
        about["ownerReferences"] = [{"apiVersion": version, "kind": kind, "name": owning, "uid": f"uid-of-{owning}", "controller": True}]
    return {"metadata": about, "spec": {"containers": [{"name": "app", "image": "app"}]}}


def _run(server: ApiServer, address: str, pod: dict[str, Any], space: str) -> None:
    """A pod as a kubelet would report it."""
    path = f"/api/v1/namespaces/{space}/pods"
    server.create(path, pod)
    running = {"status": {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "startTime": "2026-01-01T00:00:00Z"}}
    status, answer = server.request("PATCH", f"{path}/{pod['metadata']['name']}/status", running, content="application/merge-patch+json")
    assert status == 200, answer


@pytest.fixture(scope="module")
def gateway(start: Callable[..., Gateway], apiserver: ApiServer, kept: OTLPReceiver) -> Gateway:
    to = sent_to(kept)
    full = {"content": {"capture": "Full"}, "backends": to}
    closed, metered = {"backends": to}, {"collector": {"source": "Metrics"}, "attributes": {"team": "meters"}}
    specs = {"team-a/open": full, "team-a/closed": closed, "team-b/open": full, "team-c/metered": metered}
    given = inputs(specs, fleet=FULL, facts=Facts(OURS, False))
    [part] = collector.parts(given)
    for item in [*part.manifests, *_rights(OURS)]:
        path = f"{PATHS[item['kind']].format(item['metadata'].get('namespace'))}?fieldValidation=Strict"
        apiserver.create(path, item)
    return start(given, kubeconfig=_as_the_gateway(apiserver, OURS, names.GATEWAY))


def _rights(space: str, *options: str) -> list[dict[str, Any]]:
    """What the chart lets the gateway read."""
    made = manifests(*options, namespace=space)
    return [item for item in made if item["metadata"].get("labels", {}).get("app.kubernetes.io/component") == "gateway"]


def _as_the_gateway(server: ApiServer, space: str, account: str) -> Path:
    wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": [], "expirationSeconds": 3600}}
    answer = server.create(f"/api/v1/namespaces/{space}/serviceaccounts/{account}/token", wanted)
    return server.kubeconfig(token=answer["status"]["token"], name=account)


FORGED = {"k8s.namespace.name": "team-b", "k8s.deployment.name": "other", "k8s.pod.uid": "uid", "llmobs.policy": "team-a/open"}


@pytest.mark.parametrize("address", [address for address, pod in PODS.items() if pod[0] != "team-c"])
def test_the_connection_tells_the_pod_and_its_policy(gateway: Gateway, kept: OTLPReceiver, address: str) -> None:
    space, pod, _, _, workload, captured = PODS[address]
    kept.spans.clear()
    asked = {**current("gpt-4o", 1000, 0), "gen_ai.input.messages": f"question of {pod}"}

    gateway.post(export(FORGED, [span(asked)]), source=address)

    assert kept.wait(lambda receiver: bool(receiver.spans))
    found = kept.spans[0]
    assert (found.resource["k8s.namespace.name"], found.resource["k8s.pod.name"]) == (space, pod)
    assert gateway.value("llm_calls_total", k8s_namespace=space, k8s_workload=workload, service_name=workload) == 1
    assert ("gen_ai.input.messages" in found.attributes) == captured


def test_an_address_that_is_no_pods_belongs_to_nobody(gateway: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    gateway.post(export(FORGED, [span(current("gpt-4o", 1000, 0))]), source="127.0.0.9")
    gateway.calls("unknown", 1)

    assert kept.spans == []


def test_the_connection_tells_whose_metrics_they_are(gateway: Gateway) -> None:
    """A pod that may send metrics books on itself whatever it says; one that may not books on nobody."""
    forged = {**FORGED, "llmobs.policy": "team-c/metered", "llmobs.source": 1.0, "llmobs.id.team": "victims"}
    sent = points.export(forged, [points.durations(points.call("gpt-4o"), 0.3), points.usage(points.call("gpt-4o"), [10], [1])])
    before = gateway.value("llm_calls_total", k8s_namespace="team-a")

    for address in ("127.0.0.2", "127.0.0.9", "127.0.0.7"):
        gateway.post(sent, "/v1/metrics", source=address)
    gateway.calls("team-c", 1)

    seen = gateway.samples("llm_calls_total", priced="estimated")
    assert [(item["k8s_namespace"], item["k8s_workload"], item["team"], count) for item, count in seen] == [
        ("team-c", "meter", "meters", 1)
    ]
    assert gateway.own("otelcol_processor_filter_datapoints_filtered", filter="filter/metrics.unasked") == 6
    assert gateway.value("llm_calls_total", k8s_namespace="team-a") == before


@pytest.fixture(scope="module")
def confined(start: Callable[..., Gateway], apiserver: ApiServer, kept: OTLPReceiver) -> Gateway:
    """The gateway of the policy team-a/open alone, with the rights of its Role."""
    own = {
        "collector": {"mode": "Dedicated"},
        "content": {"capture": "Full"},
        "backends": [{"name": "x", "otlp": {"endpoint": kept.url, "insecure": True}}],
    }
    given = inputs({"team-a/open": own}, fleet=FULL, facts=Facts(OURS, False), settings={"dedicated": {"enabled": True}})
    [part] = collector.policy_parts(given, given.policies[0])
    for item in part.manifests:
        apiserver.create(f"{PATHS[item['kind']].format('team-a')}?fieldValidation=Strict", item)
    site = dedicated(given, given.policies[0])

    def alone(config: dict[str, Any]) -> None:
        config.clear()
        config.update(collector.bare_config(site.inputs, namespace=site.namespace))

    return start(given, kubeconfig=_as_the_gateway(apiserver, site.namespace, site.name), change=alone)


def test_a_dedicated_gateway_serves_its_namespace_with_a_role_alone(confined: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    confined.post(export(FORGED, [span(current("gpt-4o", 1000, 0), name="mine")]), source="127.0.0.2")

    assert kept.wait(lambda receiver: [item.name for item in receiver.spans] == ["mine"])
    assert kept.spans[0].resource["k8s.pod.name"] == "web-6d4cf56db6-x2x9q"
    assert confined.value("llm_calls_total", k8s_namespace="team-a", k8s_workload="web") == 1


def test_a_dedicated_gateway_takes_nothing_for_its_own_that_another_namespace_sends(confined: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    confined.post(export(FORGED, [span(current("gpt-4o", 1000, 0), name="stranger")]), source="127.0.0.5")
    confined.calls("unknown", 1)

    assert confined.value("llm_calls_total", k8s_namespace="team-b") == 0
    assert kept.spans == []


SOME = ("team-a", "team-b")


@pytest.fixture(scope="module")
def scoped(start: Callable[..., Gateway], apiserver: ApiServer) -> Gateway:
    """The gateway of an installation that watches some namespaces, one of which is gone, with Roles in the others."""
    space = "ops"
    apiserver.create("/api/v1/namespaces", {"metadata": {"name": space}})
    apiserver.create(PATHS["ServiceAccount"].format(space), {"metadata": {"name": names.GATEWAY}})
    rights = _rights(space, f"--set=watch.namespaces={{{','.join(SOME)}}}")
    assert {item["kind"] for item in rights} == {"Role", "RoleBinding"}
    for item in rights:
        apiserver.create(f"{PATHS[item['kind']].format(item['metadata']['namespace'])}?fieldValidation=Strict", item)
    metered = {"collector": {"source": "Metrics"}, "attributes": {"team": "searchers"}}
    watched = {"watch": {"namespaces": [*SOME, "gone"]}}
    given = inputs(
        {"team-a/open": {}, "team-b/gone": metered, "team-b/open": {"attributes": {"team": "reporters"}}},
        settings=watched,
        facts=Facts(space, False, absent=("gone",)),
    )
    return start(given, kubeconfig=_as_the_gateway(apiserver, space, names.GATEWAY))


def test_with_roles_in_some_namespaces_their_pods_are_known_and_no_others(scoped: Gateway) -> None:
    for address in ("127.0.0.2", "127.0.0.5", "127.0.0.7"):
        scoped.post(export(FORGED, [span(current("gpt-4o", 1000, 0))]), source=address)
    scoped.calls("unknown", 1)

    assert scoped.value("llm_calls_total", k8s_namespace="team-a", k8s_workload="web") == 1
    assert scoped.value("llm_calls_total", k8s_namespace="team-b", k8s_workload="report", team="reporters") == 1
    assert scoped.value("llm_calls_total", k8s_namespace="team-c") == 0


def test_with_roles_in_some_namespaces_metrics_are_known_too(scoped: Gateway) -> None:
    sent = points.export(FORGED, [points.durations(points.call("gpt-4o"), 0.3), points.usage(points.call("gpt-4o"), [10], [1])])
    scoped.post(sent, "/v1/metrics", source="127.0.0.6")
    scoped.calls("team-b", 2)

    assert scoped.value("llm_calls_total", k8s_namespace="team-b", k8s_workload="agent", team="searchers", priced="estimated") == 1
