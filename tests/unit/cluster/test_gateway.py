"""The gateway's state from what its Deployment, pods and events say."""

from typing import Any

import pytest
from llmobs.api.conditions import Reason, Status
from llmobs.cluster.gateway import complete, missing, progress, stuck


def deployment(**status: int) -> dict[str, Any]:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 2, **status}}


def pod(*, init: dict[str, Any] | None = None, main: dict[str, Any] | None = None) -> dict[str, Any]:
    status: dict[str, Any] = {"phase": "Pending"}
    if init is not None:
        status["initContainerStatuses"] = [{"name": "validate", **init}]
    if main is not None:
        status["containerStatuses"] = [{"name": "collector", **main}]
    return {"metadata": {"name": "gateway-1", "uid": "u"}, "status": status}


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
        ({"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}, False),
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}, False),
        ({"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 1}, False),
        ({}, False),
    ],
)
def test_a_rollout_is_complete_when_every_pod_is_new_and_available(status: dict[str, int], done: bool) -> None:
    assert complete(deployment(**status)) is done


def test_progress_says_how_far() -> None:
    found = progress(deployment(updatedReplicas=1, availableReplicas=2))
    assert (found.status, found.reason) == (Status.UNKNOWN, Reason.ROLLING_OUT)
    assert "1 of 2 pods of the gateway are of this configuration, 2 serve" in found.message


WORDS = "error decoding 'processors': unknown type: \"nothing\""


@pytest.mark.parametrize(
    "state",
    [
        {"state": {"terminated": {"exitCode": 1, "message": WORDS}}},
        {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1, "message": WORDS}}},
    ],
)
def test_a_refused_configuration_is_reported_in_the_collectors_words(state: dict[str, Any]) -> None:
    found = stuck([pod(init=state)])
    assert found is not None
    assert (found.status, found.reason) == (Status.FALSE, Reason.CONFIGURATION_REFUSED)
    assert WORDS in found.message
    assert "the previous one keeps serving" in found.message


def test_of_a_long_message_the_end_is_kept() -> None:
    found = stuck([pod(init={"state": {"terminated": {"exitCode": 1, "message": "x" * 5000 + "the cause"}}})])
    assert found is not None
    assert found.message.endswith("the cause")
    assert len(found.message) < 2000


def test_a_crash_of_the_collector_itself_is_another_matter() -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    found = stuck([pod(main={"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": ended})])
    assert found is not None
    assert (found.reason, "137: OOMKilled" in found.message) == (Reason.NOT_AVAILABLE, True)


def test_an_image_that_cannot_be_pulled_is_named() -> None:
    found = stuck([pod(init={"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found: x"}}})])
    assert found is not None
    assert (found.reason, "ImagePullBackOff: not found: x" in found.message) == (Reason.NOT_AVAILABLE, True)


@pytest.mark.parametrize(
    "state",
    [
        {"state": {"running": {}}, "lastState": {"terminated": {"exitCode": 1, "message": "long ago"}}},
        {"state": {"terminated": {"exitCode": 0}}},
        {"state": {"waiting": {"reason": "PodInitializing"}}},
    ],
)
def test_what_runs_ended_well_or_waits_is_no_cause(state: dict[str, Any]) -> None:
    assert stuck([pod(init=state), pod(main=state)]) is None


def test_a_missing_secret_or_key_is_named() -> None:
    gone = missing(['MountVolume.SetUp failed for volume "credentials-0" : secret "langfuse" not found'], namespace="ops")
    assert gone is not None
    assert (gone.reason, "Secret langfuse" in gone.message, "namespace ops" in gone.message) == (Reason.SECRET_MISSING, True, True)
    key = missing(['MountVolume.SetUp failed for volume "credentials-0" : references non-existent secret key: token'], namespace="ops")
    assert key is not None
    assert "has no key token" in key.message
    assert missing(['MountVolume.SetUp failed for volume "x" : timed out'], namespace="ops") is None
