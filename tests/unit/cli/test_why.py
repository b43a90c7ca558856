"""``llmobs why``: targets, refusals, and what the answers of Prometheus mean."""

import asyncio

import pytest
from llmobs.cli.account import series, state
from llmobs.cli.why import refusal, target
from llmobs.cluster.calls import Telemetry, arrival, told
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import CRON_JOB, DEPLOYMENT
from llmobs.inject.select import Namespace
from llmobs.kit.errors import Invalid


def test_targets_are_written_as_for_kubectl() -> None:
    assert target("deployments/web") == target("deploy/web") == target("Deployment/web") == (DEPLOYMENT, "web")
    assert target("cj/nightly") == (CRON_JOB, "nightly")


@pytest.mark.parametrize("asked", ["web", "deployment/", "service/web", "pod/a/b", "/web"])
def test_anything_else_says_what_can_be_asked(asked: str) -> None:
    with pytest.raises(Invalid, match="must be KIND/NAME with one of the kinds pod, deployment"):
        target(asked)


def test_a_refusal_says_what_to_do() -> None:
    assert refusal(Refused(403, 'User "jane" cannot list resource "pods"', what="GET x")).startswith("a right is missing")
    assert "is the operator installed?" in refusal(Refused(404, "not found", what="GET x"))


def test_silence_counts_only_while_the_gateway_is_scraped() -> None:
    assert told(3, workload="web", alive=False).telemetry is Telemetry.ARRIVED
    assert told(0, workload="web", alive=True).telemetry is Telemetry.NONE
    assert told(0, workload="web", alive=False).telemetry is Telemetry.UNKNOWN
    assert "can't be read" in asyncio.run(arrival("http://127.0.0.1:1", namespace="n", workload="web")).message


def test_a_pod_is_known_by_its_workload_or_by_its_own_name() -> None:
    owner = {"kind": "ReplicaSet", "name": "web-abc", "controller": True}
    meta = {"name": "web-abc-x", "labels": {"pod-template-hash": "abc"}, "ownerReferences": [owner]}
    assert series({"kind": "Pod", "metadata": meta}) == "web"
    assert series({"kind": "Pod", "metadata": {"name": "alone"}}) == "alone"
    assert series({"kind": "CronJob", "metadata": {"name": "nightly"}}) == "nightly"


def test_a_pod_that_no_policy_selects_any_more_is_told_apart() -> None:
    spec = {"containers": [{"name": "app", "image": "i"}]}
    assert state({"metadata": {"name": "a", "labels": {"llmobs.dev/injected": "true"}}, "spec": spec}, Namespace("n")) == "Ungoverned"
    assert state({"metadata": {"name": "a"}, "spec": spec}, Namespace("n")) == "NoPolicy"
