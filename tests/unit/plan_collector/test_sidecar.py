"""What a policy with collector.mode Sidecar makes in its namespace, and of the gateway."""

import json
from typing import Any

import pytest
from llmobs.api import effective
from llmobs.api.conditions import Reason, Status
from llmobs.api.v1alpha1.collector import CollectorMode
from llmobs.catalogue import sidecar
from llmobs.cluster.kinds import POLICY_KINDS, resource
from llmobs.inject.compiled import Platform, compiled
from llmobs.kit.errors import Invalid
from llmobs.plan import collector
from llmobs.plan.inputs import Facts
from llmobs.prices.table import PriceTable

from tests.collector.conftest import FULL, inputs

BESIDE = {"collector": {"mode": "Sidecar"}}
CAPTURING = {**BESIDE, "content": {"capture": "Masked"}}


def planned(spec: Any, version: tuple[int, int] | None = None, settings: Any = None) -> Any:
    given = inputs({"team-a/mine": spec}, fleet=FULL, prices=PriceTable(), facts=Facts(version=version), settings=settings)
    [part] = collector.policy_parts(given, given.policies[0])
    return part


def statements(spec: Any) -> list[Any]:
    [made] = planned(spec).manifests
    return list(json.loads(made["data"][sidecar.FILE])["processors"][sidecar.PRIVACY]["trace_statements"])


def test_one_configmap_belongs_to_the_policy() -> None:
    [made] = planned(BESIDE).manifests

    assert resource(made) in POLICY_KINDS
    assert (made["metadata"]["namespace"], made["metadata"]["name"]) == ("team-a", "llmobs-sidecar-mine")
    assert made["metadata"]["labels"]["llmobs.dev/owner"] == "file"
    assert "immutable" not in made


def test_no_client_chooses_the_class_of_its_content() -> None:
    first, *_, last = statements(CAPTURING)

    assert first == last == {"context": "resource", "statements": ['delete_matching_keys(resource.attributes, "^llmobs(\\\\.|$$)")']}


def test_the_gateway_treats_it_as_if_nothing_had_been_done_before() -> None:
    shared = inputs({"team-a/mine": {"content": {"capture": "Masked"}}}, fleet=FULL, prices=PriceTable())
    beside = inputs({"team-a/mine": CAPTURING}, fleet=FULL, prices=PriceTable())

    assert collector.text(beside) == collector.text(shared)


@pytest.mark.parametrize(
    ("version", "settings", "said"),
    [
        (None, {}, None),
        ((1, 29), {}, None),
        ((1, 28), {}, (Status.TRUE, Reason.NO_NATIVE_SIDECARS)),
        ((1, 36), {"sidecar": {"native": False}}, (Status.TRUE, Reason.NO_NATIVE_SIDECARS)),
    ],
)
def test_a_server_without_native_sidecars_is_told_of(version: Any, settings: Any, said: Any) -> None:
    found = planned(BESIDE, version, settings).finding

    assert (found and (found.status, found.reason)) == said
    assert found is None or "SidecarUnavailable" in found.message


def test_what_no_variable_holds_is_not_handed_to_pods_that_could_not_start_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No policy fills a variable of today."""
    patterns = [{"name": f"p{index}", "pattern": "\x01" * 256} for index in range(16)]
    monkeypatch.setattr(sidecar, "LARGEST", sidecar.LARGEST // 2)
    part = planned({**CAPTURING, "content": {"capture": "Masked", "sampleRatio": 0.5, "maskPatterns": patterns}})

    assert part.manifests == ()
    assert (part.finding.status, part.finding.reason) == (Status.FALSE, Reason.APPLY_FAILED)
    assert "maskPatterns" in part.finding.message


def test_a_change_of_content_makes_pods_outdated_and_nothing_else_does() -> None:
    def digest(spec: Any) -> str:
        [policy] = inputs({"team-a/mine": spec}, fleet=FULL, prices=PriceTable()).policies
        return compiled(policy, Platform()).digest

    assert digest(CAPTURING) != digest({**CAPTURING, "content": {"capture": "Masked", "mask": ["Email"]}})
    assert digest(CAPTURING) == digest({**CAPTURING, "sampling": {"ratio": 0.5}})


def test_a_fleets_default_needs_a_resource_of_the_namespace_to_own_the_configuration() -> None:
    fleet = effective.fleet({"metadata": {"name": "f"}, "spec": {"withoutPolicy": "Apply", "defaults": BESIDE}})
    made = effective.stand_in("bare", [fleet], {})

    assert made is not None
    assert made.spec.collector.mode is CollectorMode.SHARED


def test_a_secret_of_the_namespace_needs_a_gateway_of_its_own() -> None:
    own = {"endpoint": "https://x.example.com", "credentialsSecretRef": {"name": "mine"}}
    with pytest.raises(Invalid, match="Dedicated"):
        inputs({"team-a/mine": {**BESIDE, "backends": [{"name": "own", "otlp": own}]}})


def test_too_little_memory_is_refused_where_it_is_set() -> None:
    with pytest.raises(Invalid, match=r"96Mi"):
        inputs({}, settings={"sidecar": {"memory": "64Mi"}})
