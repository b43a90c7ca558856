"""Whose call it is, is never the client's word."""

from typing import Any

import pytest

from tests.collector.conftest import inputs, sent_to
from tests.collector.gateway import Gateway
from tests.collector.spans import current, span
from tests.fakes.otlp import OTLPReceiver


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> Gateway:
    to = sent_to(kept)
    return start(
        inputs(
            {
                "victim/only": {"backends": to, "attributes": {"team": "victims"}},
                "own/only": {"attributes": {"team": "payments", "costCenter": '4"7$1\\1'}, "backends": to},
                "two/a": {"attributes": {"team": "shared", "feature": "a"}},
                "two/b": {"attributes": {"team": "shared", "feature": "b"}},
            }
        )
    )


FORGED = {
    "k8s.namespace.name": "victim",
    "k8s.deployment.name": "their-app",
    "k8s.pod.uid": "their-uid",
    "k8s.statefulset.name": "their-set",
    "llmobs.policy": "victim/only",
    "llmobs.capture": "Full",
    "llmobs.route": "own_x",
    "llmobs.id.k8s_namespace": "victim",
    "llmobs.id.team": "victims",
    "k8s_namespace": "victim",
}


def test_forged_identity_has_no_effect(gateway: Gateway) -> None:
    gateway.send(span(current("gpt-4o", 1000, 0)), namespace="attacker", workload="real", resource=FORGED)
    gateway.calls("attacker", 1)

    seen = [labels for labels, _ in gateway.samples("llm_cost_usd_total", k8s_namespace="attacker")]
    assert [(labels["k8s_workload"], labels["team"]) for labels in seen] == [("real", "")]
    assert gateway.samples("llm_calls_total", k8s_namespace="victim") == []


def test_nobody_books_a_cost_of_their_own(gateway: Gateway) -> None:
    own = {
        "llm.cost.usd": 1e6,
        "llm.cost.priced": "priced",
        "llm.model": "free",
        "llmobs.model": "free",
        "llmobs.tokens.input": 7.0,
        "llmobs.token_type": "free",
        "llmobs.outcome": "free",
    }
    gateway.send(span({**current("nobody-lists", 1, 1), **own}), span({"gen_ai.operation.name": "execute_tool", **own}), namespace="booker")
    gateway.calls("booker", 1)

    assert gateway.samples("llm_cost_usd_total", k8s_namespace="booker") == []
    assert {labels["model"] for labels, _ in gateway.samples("llm_calls_total", k8s_namespace="booker")} == {"other"}
    assert {labels["token_type"]: value for labels, value in gateway.samples("llm_tokens_total", k8s_namespace="booker")} == {
        "input": 1,
        "output": 1,
    }
    assert gateway.value("llm_calls_total", k8s_namespace="booker") == 1


def test_a_policys_attributes_win_and_never_reach_identity(gateway: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    claimed = {"team": "mine", "environment": "prod", "costCenter": "none"}

    gateway.send(span(current("gpt-4o", 10, 1)), namespace="own", resource=claimed)
    gateway.calls("own", 1)

    [labels] = [labels for labels, _ in gateway.samples("llm_calls_total", k8s_namespace="own")]
    assert (labels["team"], labels["environment"]) == ("payments", "prod")
    assert kept.wait(lambda receiver: bool(receiver.spans))
    assert kept.spans[0].resource["costCenter"] == '4"7$1\\1'
    assert kept.spans[0].resource["k8s.namespace.name"] == "own"


def test_pods_without_a_policy_get_what_all_policies_agree_on(gateway: Gateway) -> None:
    gateway.send(span(current("gpt-4o", 10, 1)), namespace="two", resource={"peer.llmobs.policy": "two/b"})
    gateway.send(span(current("gpt-4o", 10, 1)), namespace="two", workload="bare")
    gateway.calls("two", 2)

    seen = {
        labels["k8s_workload"]: (labels["team"], labels["feature"]) for labels, _ in gateway.samples("llm_calls_total", k8s_namespace="two")
    }
    assert seen == {"app": ("shared", "b"), "bare": ("shared", "")}


@pytest.mark.parametrize("kind", ["statefulset", "daemonset", "cronjob", "job", "pod"])
def test_every_kind_of_workload_has_a_name(gateway: Gateway, kind: str) -> None:
    peer = {"peer.k8s.namespace.name": f"kind-{kind}", f"peer.k8s.{kind}.name": f"my-{kind}", "peer.k8s.pod.name": f"my-{kind}"}

    gateway.send(span(current("gpt-4o", 10, 1)), namespace=f"kind-{kind}", workload="", resource=peer)
    gateway.calls(f"kind-{kind}", 1)

    assert gateway.value("llm_calls_total", k8s_workload=f"my-{kind}") == 1


def test_an_unknown_connection_is_visible_as_such(gateway: Gateway) -> None:
    gateway.send(span(current("gpt-4o", 10, 1)), namespace="")
    gateway.calls("unknown", 1)

    assert gateway.value("llm_calls_total", k8s_namespace="unknown") == 1
