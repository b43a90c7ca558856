"""Which workloads are rolled back, and which crash for reasons of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from llmobs.api.v1alpha1.injection import Rollback
from llmobs.api.workload import Workload
from llmobs.cluster.workloads import Restarts, observed
from llmobs.plan.rollback import Observed, blamed, recovered, unwell
from llmobs.prices.table import PriceTable

from tests.collector.beside import container
from tests.collector.conftest import inputs

WEB = Workload("Deployment", "web")
BEGUN = datetime(2026, 11, 21, 10, tzinfo=UTC)
LOOPING = Observed("a", injected=True, revision="u.2", restarts=3, up=120)
WELL = Observed("b", injected=True, revision="u.2", ready=True, up=600)


def plain(**more: Any) -> Observed:
    return Observed("old", injected=False, **more)


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([LOOPING], True),
        ([LOOPING, plain(ready=True, up=900)], True),
        ([Observed("a", injected=True, restarts=2)], False),
        ([plain(restarts=9)], False),
        ([LOOPING, plain(restarts=3)], False),
        ([LOOPING, plain(backing_off=True)], False),
        ([LOOPING, plain(backing_off=True, rolled_back=True)], True),
        ([LOOPING, WELL], False),
        ([Observed("a", injected=True, revision="u.2", kept_out=True, up=200)], True),
        ([Observed("a", injected=True, revision="u.2", kept_out=True, up=100)], False),
        ([Observed("a", injected=True, revision="u.2", kept_out=True, up=200), WELL], False),
        ([LOOPING, Observed("b", injected=True, revision="u.1", ready=True, up=600)], True),
        ([LOOPING, Observed("b", injected=True, revision="u.2", ready=True, up=5)], True),
        ([LOOPING, Observed("b", injected=True, revision="u.2", ready=True, up=600, restarts=1)], True),
    ],
    ids=[
        "it crash-loops",
        "what came before is well",
        "too few restarts",
        "it is not instrumented",
        "it crash-looped before",
        "the kubelet backs off from what came before",
        "left alone after an earlier rollback",
        "others are well with the same instrumentation",
        "our image can't be had",
        "our image could not be had yet",
        "our image can be had on another node",
        "others are well with an earlier instrumentation",
        "another has only just begun",
        "another restarted as well",
    ],
)
def test_who_is_blamed(pods: list[Observed], expected: bool) -> None:
    assert list(blamed(Rollback(), {WEB: pods}, ())) == ([WEB] if expected else [])


def test_who_crash_looped_before_is_not_blamed_later() -> None:
    assert unwell(Rollback(), [plain(backing_off=True)])
    assert list(blamed(Rollback(), {WEB: [LOOPING]}, {WEB})) == []


def test_what_crash_looped_once_is_forgiven_when_it_is_well() -> None:
    assert recovered([plain(ready=True, up=900)])
    assert not recovered([plain(ready=True, up=900, restarts=1), WELL, LOOPING])


def pod(count: int, *, started: datetime = BEGUN, name: str = "app", injected: bool = True) -> dict[str, Any]:
    labels = {"llmobs.dev/injected": "true"} if injected else {}
    spec = {"containers": [{"name": "app", "env": [{"name": "LLMOBS_ENDPOINT", "value": "x"}]}, {"name": "side"}]}
    status = {"startTime": started.isoformat(), "containerStatuses": [{"name": name, "restartCount": count}]}
    return {"metadata": {"name": "p", "uid": "u", "labels": labels}, "spec": spec, "status": status}


def later(minutes: float) -> datetime:
    return BEGUN + timedelta(minutes=minutes)


def test_all_restarts_of_a_young_pod_count_also_after_a_restart_of_the_controller() -> None:
    assert Restarts().within(pod(3), "n", window=600, now=later(9)) == 3


def test_of_an_old_pod_only_what_was_seen_within_the_window_counts() -> None:
    restarts = Restarts()
    assert restarts.within(pod(40), "n", window=600, now=later(60)) == 0
    for minute, count in ((60, 40), (64, 41), (69, 42), (75, 43)):
        restarts.note("n", [pod(count)], later(minute))
    assert restarts.within(pod(43), "n", window=600, now=later(75)) == 2
    restarts.note("n", [pod(43)], later(90))
    assert restarts.within(pod(43), "n", window=600, now=later(90)) == 0


def test_a_clock_that_is_set_back_blames_nobody() -> None:
    restarts = Restarts()
    restarts.note("n", [pod(40)], later(60))
    assert restarts.within(pod(40), "n", window=600, now=later(-600)) == 0
    assert restarts.within(pod(3), "m", window=600, now=later(-0.5)) == 3


def test_pods_that_are_gone_are_forgotten() -> None:
    restarts = Restarts()
    restarts.note("n", [pod(1)], later(60))
    restarts.note("n", [], later(61))
    restarts.note("n", [pod(5)], later(62))
    assert restarts.within(pod(5), "n", window=600, now=later(62)) == 0


def test_only_containers_that_instrumentation_concerns_count() -> None:
    now = later(1)
    assert Restarts().within(pod(3, name="side"), "n", window=600, now=now) == 0
    assert Restarts().within(pod(3, name="side", injected=False), "n", window=600, now=now) == 3
    ours = pod(0)
    ours["status"]["initContainerStatuses"] = [{"name": "llmobs-python", "restartCount": 4}]
    assert Restarts().within(ours, "n", window=600, now=now) == 4


def test_a_collector_beside_the_application_that_keeps_crashing_counts() -> None:
    """Its pod never starts then, and only the rollback helps."""
    [policy] = inputs({"a/p": {"collector": {"mode": "Sidecar"}}}, prices=PriceTable()).policies
    ours = pod(0)
    ours["spec"]["initContainers"] = [container(policy)]
    ours["status"]["initContainerStatuses"] = [{"name": "llmobs-collector", "restartCount": 4}]

    assert Restarts().within(ours, "n", window=600, now=later(1)) == 4


def test_a_pod_without_a_status_harms_nobody() -> None:
    bare = {"metadata": {"name": "p"}}
    assert observed(bare, restarts=Restarts().within(bare, "n", window=600, now=later(0)), now=later(0)).up == 0


def waiting(name: str, reason: str, message: str = "") -> dict[str, Any]:
    return {"name": name, "state": {"waiting": {"reason": reason, "message": message}}}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({"initContainerStatuses": [waiting("llmobs-python", "ImagePullBackOff")]}, True),
        ({"initContainerStatuses": [waiting("llmobs-collector", "CreateContainerError")]}, True),
        ({"initContainerStatuses": [waiting("llmobs-python", "PodInitializing")]}, False),
        ({"initContainerStatuses": [waiting("own", "ImagePullBackOff")]}, False),
        ({"containerStatuses": [waiting("app", "ImagePullBackOff", 'Back-off pulling image "registry/app:1"')]}, False),
        ({"containerStatuses": [waiting("app", "ImagePullBackOff", 'Back-off pulling image "registry/python:1": NotFound')]}, True),
    ],
    ids=["init container", "collector", "about to start", "the user's", "the application's own image", "image volume"],
)
def test_what_keeps_a_pod_from_starting_is_told_apart(statuses: dict[str, Any], expected: bool) -> None:
    variable = {"env": [{"name": "LLMOBS_ENDPOINT", "value": "http://x"}, {"name": "LLMOBS_SIDECAR", "value": ""}]}
    inits = [{"name": name, **variable} for name in ("llmobs-python", "llmobs-collector", "own")]
    volumes = [{"name": "llmobs-python", "image": {"reference": "registry/python:1"}}]
    pod = {
        "metadata": {"name": "a", "labels": {"llmobs.dev/injected": "true"}},
        "spec": {"initContainers": inits, "containers": [{"name": "app", **variable}], "volumes": volumes},
        "status": {"startTime": "2026-11-21T09:00:00Z", **statuses},
    }
    assert observed(pod, restarts=0, now=BEGUN).kept_out is expected
