"""The class of a pod, and what our init container asks for in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llmobs.inject.pod import Spec, decode
from llmobs.inject.qos import QualityOfService, init_resources, quality_of_service

BOTH = {"cpu": "1", "memory": "1Gi"}


def spec(*apps: dict[str, Any], inits: tuple[dict[str, Any], ...] = (), whole: dict[str, Any] | None = None) -> Spec:
    body = {"containers": [{"resources": item} for item in apps], "initContainers": [{"resources": item} for item in inits]}
    found = decode(json.dumps({"spec": {**body, "resources": whole}}).encode()).spec
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (spec({}), QualityOfService.BEST_EFFORT),
        (spec({"requests": {"cpu": "0"}}), QualityOfService.BEST_EFFORT),
        (spec({"requests": {"ephemeral-storage": "1Gi"}}), QualityOfService.BEST_EFFORT),
        (spec({"limits": BOTH}), QualityOfService.GUARANTEED),
        (spec({"limits": BOTH, "requests": {"cpu": "1000m", "memory": "1024Mi"}}), QualityOfService.GUARANTEED),
        (spec({"limits": BOTH, "requests": {"cpu": "1"}}), QualityOfService.GUARANTEED),
        (spec({"limits": BOTH, "requests": {"cpu": "0.5"}}), QualityOfService.BURSTABLE),
        (spec({"limits": BOTH}, {}), QualityOfService.BURSTABLE),
        (spec({"limits": BOTH}, inits=({"limits": {"cpu": "1"}},)), QualityOfService.BURSTABLE),
        (spec({"limits": BOTH}, inits=({"limits": BOTH},)), QualityOfService.GUARANTEED),
        (spec({"limits": {"cpu": "1"}}), QualityOfService.BURSTABLE),
        (spec({}, inits=({"requests": {"memory": "1Mi"}},)), QualityOfService.BURSTABLE),
    ],
)
def test_class(given: Spec, want: QualityOfService) -> None:
    assert quality_of_service(given) is want


@pytest.mark.parametrize(
    ("given", "want"),
    [
        (spec({}), {}),
        (spec({}, inits=({"requests": {"memory": "1Mi"}},)), {}),
        (spec({"limits": BOTH}), {"requests": {"cpu": "500m", "memory": "128Mi"}, "limits": {"cpu": "500m", "memory": "128Mi"}}),
        (spec({"requests": {"cpu": "5m"}}), {"requests": {"cpu": "5m"}}),
        (spec({"requests": BOTH}), {"requests": {"cpu": "10m", "memory": "32Mi"}}),
        (spec({"requests": BOTH, "limits": {"cpu": "2"}}), {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "500m"}}),
    ],
)
def test_resources(given: Spec, want: dict[str, Any]) -> None:
    assert init_resources(given, (1, 36)) == want


def test_pod_level_resources_count_where_the_server_knows_them() -> None:
    given = spec({"requests": {"cpu": "1"}}, whole={"limits": {"cpu": "2"}})

    assert init_resources(given, (1, 34)) == {}
    assert init_resources(given, (1, 33)) == {"requests": {"cpu": "10m"}}
    assert init_resources(spec({"requests": {"cpu": "1"}}, whole={"limits": {}}), (1, 36)) == {"requests": {"cpu": "10m"}}
