"""`helm upgrade` leaves users' pods alone; `helm uninstall` leaves nothing of ours. Last, because nothing is there afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo.kube import Kube

from tests.e2e import workloads as w
from tests.e2e.conftest import World

pytestmark = pytest.mark.node

CHART = Path(__file__).resolve().parents[2] / "charts" / "llm-observability-operator"
SYSTEM = "llmobs-system"
KINDS = (
    "deployments,services,configmaps,secrets,serviceaccounts,networkpolicies,poddisruptionbudgets,"
    "roles,rolebindings,prometheusrules,podmonitors"
)
CLUSTER_KINDS = "clusterroles,clusterrolebindings,mutatingwebhookconfigurations,customresourcedefinitions"


def test_an_upgrade_changes_what_it_says_and_no_users_pod(world: World) -> None:
    kube = world.kube
    before = _users(kube)
    kube.chart("upgrade", "llmobs", str(CHART), "-n", SYSTEM, "--reuse-values", "--set", "gateway.replicas=1")

    w.until("the gateway has one pod", lambda: kube.get("deployment", "llmobs-gateway", "-n", SYSTEM)["status"].get("replicas") == 1)

    assert _users(kube) == before


def test_an_uninstall_leaves_nothing_of_ours_and_everything_of_the_users(world: World) -> None:
    kube = world.kube
    before = _users(kube)
    kube.chart("uninstall", "llmobs", "-n", SYSTEM, "--wait")

    w.until("nothing of ours is left", lambda: not _ours(kube))

    assert _users(kube) == before
    w.apply(kube, w.deployment("after", "default", "python", "-m", "worker.main"))
    w.until("a new pod starts", lambda: "running" in w.status(w.pod(kube, "default", "after") or {}).get("state", {}))


def _users(kube: Kube) -> set[str]:
    """Uids of the pods of every namespace of users that are not ending."""
    pods = kube.get("pods", "-A")["items"]
    return {
        pod["metadata"]["uid"]
        for pod in pods
        if pod["metadata"]["namespace"] in {"team-chat", "restricted", "away"} and "deletionTimestamp" not in pod["metadata"]
    }


def _ours(kube: Kube) -> list[str]:
    """Everything whose name or label is ours, but the namespaces that people made and helm's own record."""
    found = [*kube.get(KINDS, "-A")["items"], *kube.get(CLUSTER_KINDS)["items"]]
    return [
        f"{item['kind']} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
        for item in found
        if item["metadata"]["name"].startswith("llmobs") or "llmobs.dev" in item["metadata"]["name"] or _labelled(item)
    ]


def _labelled(item: dict[str, dict[str, dict[str, str]]]) -> bool:
    return (item["metadata"].get("labels") or {}).get("app.kubernetes.io/managed-by") == "llm-observability-operator"
