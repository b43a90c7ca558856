"""All namespaces or some: what the operator does with exactly the rights that the chart gives, and where these end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmobs.cluster.client import connected
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import POD

from tests.cluster.admission import Admission
from tests.cluster.apiserver import ApiServer, define, prometheus_definitions, until
from tests.cluster.installation import SYSTEM, Controller, Prometheus, account, install
from tests.cluster.world import GATEWAY, GROUP, World

pytestmark = pytest.mark.apiserver

WATCHED = ("team-a", "team-b")
ELSEWHERE = "team-c"
ONLY = f"--set=watch.namespaces={{{','.join(WATCHED)}}}"
DEDICATED = {"collector": {"mode": "Dedicated"}}


class Scoped(World):
    """A world with a webhook, that watches all namespaces or some."""

    admission: Admission
    some: bool

    def may(self, account: str, verb: str, namespace: str, resource: str, group: str = "") -> bool:
        """What the API server's authorisation says."""
        what = {"namespace": namespace, "verb": verb, "group": group, "resource": resource}
        spec = {"user": f"system:serviceaccount:{SYSTEM}:{account}", "groups": ["system:authenticated"], "resourceAttributes": what}
        made = self.server.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": spec})
        return bool(made["status"]["allowed"])

    def refused(self) -> list[str]:
        """What our service accounts were refused, from the API server's audit."""
        return sorted({_asked(item) for item in self.server.audit() if (item.get("responseStatus") or {}).get("code") in (403, 422)})


def _asked(item: dict[str, Any]) -> str:
    what = item.get("objectRef") or {}
    return f"{item['user']['username'].rpartition(':')[2]}: {item['verb']} {what.get('resource')} in {what.get('namespace')}"


@pytest.fixture(scope="module", params=["all", "some"])
def scoped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scoped]:
    folder: Path = tmp_path_factory.mktemp("scope")
    some = request.param == "some"
    options = ["--set=dedicated.enabled=true", *([ONLY] if some else [])]
    settings: dict[str, Any] = {"dedicated": {"enabled": True}, **({"watch": {"namespaces": list(WATCHED)}} if some else {})}
    server, prometheus = ApiServer(folder), Prometheus()
    ours: list[Any] = []
    try:
        server.start()
        for definition in prometheus_definitions():
            define(server, definition)
        for name in (*WATCHED, ELSEWHERE):
            server.create("/api/v1/namespaces", {"metadata": {"name": name}})
        install(server, folder, *options)
        server.controllers()
        made = Scoped(server, Controller(server, folder, prometheus=prometheus.url, **settings), prometheus)
        made.some, made.admission = some, Admission(server, folder, *options, **settings)
        ours += [made.admission, made.controller]
        made.admission.start()
        made.admission.configure()
        made.controller.start()
        yield made
    finally:
        for process in ours:
            if process.running:
                process.end()
        prometheus.end()
        server.end()


def marked(world: Scoped, namespace: str) -> dict[str, Any] | None:
    return world.admission.injected(namespace)


def test_a_policy_gets_everything_with_these_rights(scoped: Scoped) -> None:
    path = scoped.policy("team-a", {"budgets": [{"name": "b", "limitUSD": 5}]})
    until("the gateway exists", lambda: scoped.server.get(GATEWAY))

    scoped.condition(path, "Accepted", "True", "Accepted")
    scoped.condition(path, "RulesReady", "True", "Applied")
    scoped.condition(path, "DashboardsReady", "True", "Applied")
    assert scoped.dashboards("team-a")
    assert scoped.server.get("/apis/monitoring.coreos.com/v1/namespaces/team-a/prometheusrules/llmobs-p")
    until("a pod is instrumented", lambda: marked(scoped, "team-a"))
    scoped.condition(path, "InjectionReady", "True", "NoPods")
    assert "k8s_attributes" in scoped.gateway_configuration()
    assert ("k8s_attributes/team-b" in scoped.gateway_configuration()) is scoped.some


def test_a_namespace_that_is_not_watched_is_left_alone(scoped: Scoped) -> None:
    path = scoped.policy(ELSEWHERE, name="stranger")
    scoped.condition(scoped.policy("team-b"), "Accepted", "True", "Accepted")
    until("the other namespace's pods are instrumented", lambda: marked(scoped, "team-b"))
    if not scoped.some:
        scoped.condition(path, "Accepted", "True", "Accepted")
        until("this one's too", lambda: marked(scoped, ELSEWHERE))
        scoped.server.delete(path)
        return
    scoped.quiet(passes=2)

    assert "status" not in scoped.server.get(path)
    assert scoped.dashboards(ELSEWHERE) == []
    assert marked(scoped, ELSEWHERE) is None
    assert "stranger" not in scoped.gateway_configuration()
    text = scoped.controller.ask("/metrics")[1]
    assert 'llmobs_policies{state="accepted"} 2.0' in text
    assert ELSEWHERE not in text


def test_what_is_changed_in_a_watched_namespace_is_seen_at_once(scoped: Scoped) -> None:
    """By the watches, not by the next pass: the controller notices a pod, a policy and what was changed by hand."""
    path = scoped.policy("team-b", {})
    [made] = until("the dashboard", lambda: scoped.dashboards("team-b"))
    where = f"/api/v1/namespaces/team-b/configmaps/{made['metadata']['name']}"
    scoped.server.delete(where)
    until("it is made anew", lambda: scoped.server.get(where))
    scoped.policy("team-b", {"dashboards": {"delivery": "None"}})
    until("it is pruned", lambda: scoped.server.get(where) is None)
    scoped.server.merge("/api/v1/namespaces/team-b", {"metadata": {"labels": {"llmobs.dev/inject": "false"}}})
    until("the namespace is opted out", lambda: marked(scoped, "team-b") is None)
    scoped.server.merge("/api/v1/namespaces/team-b", {"metadata": {"labels": {"llmobs.dev/inject": None}}})
    until("and in again", lambda: marked(scoped, "team-b"))
    scoped.server.delete(path)
    until("the policy is gone", lambda: marked(scoped, "team-b") is None)


def test_a_gateway_of_a_policys_own_is_made_with_these_rights(scoped: Scoped) -> None:
    path = scoped.policy("team-b", DEDICATED, name="own")
    scoped.condition(path, "CollectorReady", "Unknown", "RollingOut")
    assert scoped.server.get("/apis/rbac.authorization.k8s.io/v1/namespaces/team-b/rolebindings/llmobs-gateway-own")
    scoped.server.delete(path)
    until("it goes with its policy", lambda: scoped.server.get("/apis/apps/v1/namespaces/team-b/deployments/llmobs-gateway-own") is None)


def test_a_crash_looping_workload_is_rolled_back_with_these_rights(scoped: Scoped) -> None:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}]}}
    deployments = "/apis/apps/v1/namespaces/team-a/deployments"
    made = {"metadata": {"name": "web"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}}
    scoped.server.create(deployments, made)

    def injected() -> Any:
        found = scoped.server.get("/api/v1/namespaces/team-a/pods?labelSelector=app%3Dweb,llmobs.dev%2Finjected%3Dtrue")["items"]
        return found and found[0]

    pod = until("its pod is instrumented", injected)
    waiting = {"name": "app", "image": "i", "imageID": "", "ready": False, "restartCount": 9}
    waiting["state"] = {"waiting": {"reason": "CrashLoopBackOff"}}
    started = pod["metadata"]["creationTimestamp"]
    status = {"status": {"phase": "Running", "startTime": started, "containerStatuses": [waiting]}}
    scoped.server.merge(f"/api/v1/namespaces/team-a/pods/{pod['metadata']['name']}/status", status)

    def rolled_back() -> bool:
        found = scoped.server.get(f"{deployments}/web")["spec"]["template"]["metadata"].get("annotations") or {}
        return "llmobs.dev/rolled-back" in found

    until("it is rolled back", rolled_back)
    until("and told", lambda: scoped.server.get("/api/v1/namespaces/team-a/events?fieldSelector=reason%3DRolledBack")["items"])


def test_the_chart_gives_every_right_that_was_needed(scoped: Scoped) -> None:
    """By the API server's own audit of all that the tests above made the operator do."""
    users = {item["user"]["username"].rpartition(":")[2] for item in scoped.server.audit()}

    assert users == {"llmobs-controller", "llmobs-webhook"}
    assert scoped.refused() == []


def asked(world: Scoped, namespace: str) -> int | None:
    """With which status the controller's own client is refused the pods of a namespace."""

    async def do() -> None:
        async with connected(str(account(world.server, "llmobs-controller"))) as client:
            await client.list(POD, namespace=namespace)

    try:
        asyncio.run(do())
    except Refused as refused:
        return refused.status
    return None


def test_the_rights_end_where_the_chart_says(scoped: Scoped) -> None:
    for who, verb, resource, group in (
        ("llmobs-controller", "list", "pods", ""),
        ("llmobs-controller", "patch", "configmaps", ""),
        ("llmobs-controller", "patch", "deployments", "apps"),
        ("llmobs-controller", "list", "llmobservabilities", "llmobs.dev"),
        ("llmobs-webhook", "list", "llmobservabilities", "llmobs.dev"),
        ("llmobs-webhook", "watch", "limitranges", ""),
        ("llmobs-gateway", "watch", "pods", ""),
    ):
        assert scoped.may(who, verb, "team-a", resource, group)
        assert scoped.may(who, verb, ELSEWHERE, resource, group) is not scoped.some
        assert scoped.may(who, verb, "", resource, group) is not scoped.some, "in the whole cluster"
    assert asked(scoped, "team-a") is None
    assert asked(scoped, ELSEWHERE) == (403 if scoped.some else None)
    for who in ("llmobs-controller", "llmobs-webhook", "llmobs-gateway"):
        for place in ("", ELSEWHERE, "team-a", SYSTEM):
            for verb in ("get", "list", "watch", "create", "patch", "delete"):
                assert not scoped.may(who, verb, place, "secrets"), f"{who} may {verb} any Secret in {place}"
            assert not scoped.may(who, "create", place, "pods")
            assert not scoped.may(who, "create", place, "pods/exec")
            assert not scoped.may(who, "create", place, "serviceaccounts/token")


@pytest.mark.parametrize("scoped", ["some"], indirect=True)
def test_a_watched_namespace_that_goes_takes_nobody_along(scoped: Scoped) -> None:
    """With a namespace its Role goes: the others are served as before, also by a webhook and a controller that start afterwards."""
    scoped.server.delete("/api/v1/namespaces/team-b")
    until("it is gone", lambda: scoped.server.get("/api/v1/namespaces/team-b") is None)
    until("the gateway does not wait for it", lambda: "k8s_attributes/team-b" not in scoped.gateway_configuration())
    for process in (scoped.admission, scoped.controller):
        process.end()
        process.start()

    scoped.condition(scoped.policy("team-a", {"attributes": {"team": "new"}}), "Accepted", "True", "Accepted")
    found = until("pods are instrumented", lambda: marked(scoped, "team-a"))
    until("by the newest policy", lambda: "team=new" in str(marked(scoped, "team-a")))
    assert found

    scoped.server.create("/api/v1/namespaces", {"metadata": {"name": "team-b"}})
    until("it is told that there is no right", lambda: "namespace team-b is not served" in scoped.controller.log())
    scoped.condition(scoped.policy("team-a", {"attributes": {"team": "newer"}}), "Accepted", "True", "Accepted")
    assert scoped.server.get(f"{GROUP}/namespaces/team-b/llmobservabilities")["items"] == []
