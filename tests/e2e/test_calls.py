"""Calls of Jobs that end at once: counted once each, with their price, whatever carries them and however the pod is shaped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from demo.kube import Kube

from tests.e2e import workloads as w
from tests.e2e.conftest import World

pytestmark = pytest.mark.node

CHART = Path(__file__).resolve().parents[2] / "charts" / "llm-observability-operator"
SYSTEM = "llmobs-system"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}

CALL = (
    "import openai; "
    "openai.OpenAI(base_url='http://fake-llm.team-chat:8080/v1', api_key='x')"
    ".chat.completions.create(model='gpt-4o', messages=[{'role': 'user', 'content': 'hello'}]); "
    "print('done')"
)
COST = 0.004
"""What the fake API reports, at gpt-4o's list price: 600 x 2.50 + 400 x 1.25 + 200 x 10.00, in USD per million."""

PLACES: dict[str, dict[str, Any]] = {
    "shared": {},
    "sidecars": {"collector": {"mode": "Sidecar"}},
    "volumes": {"injection": {"delivery": "ImageVolume"}},
    "own": {"collector": {"mode": "Dedicated"}},
}
JOBS = {"plain": "shared", "root": "shared", "beside": "sidecars", "mounted": "volumes", "apart": "own"}


@pytest.fixture(scope="module")
def pods(world: World) -> dict[str, dict[str, Any]]:
    """The pods of all Jobs, completed; they began when no gateway was about to be replaced."""
    kube = world.kube
    kube.chart("upgrade", "llmobs", str(CHART), "-n", SYSTEM, "--reuse-values", "--set", "dedicated.enabled=true")
    for name, spec in PLACES.items():
        w.namespace(kube, name, spec=spec, **(RESTRICTED if name == "sidecars" else {}))
    w.until("the gateways have settled", lambda: all(_settled(kube, name) for name in PLACES), seconds=240)
    for name, place in JOBS.items():
        made = w.job(name, place, "python", "-c", CALL)
        if name == "root":
            made["spec"]["template"]["spec"]["securityContext"] = {"runAsUser": 0}
        w.apply(kube, made)
    w.until("the Jobs complete", lambda: all(_completed(kube, name, place) for name, place in JOBS.items()), seconds=240)
    return {name: kube.get("pods", "-n", place, "-l", f"job-name={name}")["items"][0] for name, place in JOBS.items()}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_completes_and_its_call_is_counted_once(world: World, pods: dict[str, dict[str, Any]], name: str) -> None:
    place = JOBS[name]
    assert pods[name]["metadata"]["labels"].get("llmobs.dev/injected") == "true"
    assert world.kube.run("logs", "-n", place, f"job/{name}", "-c", "main").strip() == "done"

    counted = w.until("the call is counted", lambda: _ever(world, "llm_calls_total", place, name))

    assert counted == [({"namespace": place if place == "own" else SYSTEM}, 1)], "by the gateway of its policy"
    [(_, cost)] = w.until("it is priced", lambda: _ever(world, "llm_cost_usd_total", place, name))
    assert cost == pytest.approx(COST, rel=0, abs=1e-9)


def test_every_pod_was_known_when_its_call_came(world: World, pods: dict[str, dict[str, Any]]) -> None:
    assert len(pods) == len(JOBS)
    assert world.prometheus.query('max_over_time(llm_calls_total{k8s_namespace="unknown"}[1h])') == []


def test_a_collector_in_a_pod_ends_with_its_job(pods: dict[str, dict[str, Any]]) -> None:
    """A native sidecar of a real kubelet, in a restricted namespace."""
    ended = w.status(pods["beside"], "llmobs-collector", "initContainerStatuses")
    assert (ended["state"]["terminated"]["exitCode"], ended["restartCount"]) == (0, 0)


def test_an_image_is_mounted_by_the_nodes_runtime(pods: dict[str, dict[str, Any]]) -> None:
    spec = pods["mounted"]["spec"]
    assert "initContainers" not in spec
    assert [volume["image"]["reference"] for volume in spec["volumes"] if volume["name"] == "llmobs-python"]


def _settled(kube: Kube, place: str) -> bool:
    """Whether the policy's gateway is as it will be; what a pod has counted that goes is with Prometheus, and no longer in the pod."""
    where = place if place == "own" else SYSTEM
    pods = kube.get("pods", "-n", where, "-l", "app.kubernetes.io/component in (gateway,dedicated-gateway)")["items"]
    staying = all("deletionTimestamp" not in pod["metadata"] and w.status(pod, "collector").get("ready") for pod in pods)
    return bool(pods) and staying and (w.condition(kube, place, "CollectorReady") or ("", ""))[0] == "True"


def _completed(kube: Kube, name: str, place: str) -> bool:
    return (kube.get("job", name, "-n", place) or {}).get("status", {}).get("succeeded") == 1


def _ever(world: World, counter: str, place: str, workload: str) -> list[tuple[dict[str, str], float]]:
    """A workload's figures by the namespace of the gateway that counted them, those of pods that a rollout has replaced as well."""
    chosen = f'{counter}{{k8s_namespace="{place}",k8s_workload="{workload}"}}'
    found = world.prometheus.query(f"sum by (namespace) (max_over_time({chosen}[1h]))")
    return [(item["metric"], float(item["value"][1])) for item in found]
