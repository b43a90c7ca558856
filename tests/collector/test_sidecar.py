"""collector.mode Sidecar: an application's spans through the real collector of its pod and the real gateway."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmobs.catalogue import sidecar
from llmobs.plan.collector.sidecar import text

from examples.chat.fake_llm.server import REPLY
from tests.collector.beside import Beside, Wire, command
from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, export, span
from tests.collector.test_golden import accepted_as
from tests.collector.test_recorded import QUESTION, RECORDED, SENT, cost, placed
from tests.fakes.otlp import OTLPReceiver

CONTENT = {
    "capture": "Masked",
    "maxLength": 200,
    "maskPatterns": [{"name": "word", "pattern": QUESTION.split()[0]}, {"name": "staff", "pattern": "S-[0-9]{6}$|S-[0-9]{6}"}],
    "userIds": "Drop",
}
SECRET = "write to jane@example.com or S-123456"
MADE = ("official", "openai-chat")

WORDS = "gen_ai.input.messages"


@pytest.fixture(scope="module")
def given_(kept: OTLPReceiver) -> Any:
    spec = {"content": CONTENT, "backends": sent_to(kept)}
    beside = {**spec, "collector": {"mode": "Sidecar"}}
    return inputs({"beside/p": beside, "ends/p": beside, "straight/p": spec}, fleet=FULL)


@pytest.fixture(scope="module")
def gateway(start: Any, given_: Any) -> Gateway:
    made: Gateway = start(given_)
    return made


@pytest.fixture
def wire(gateway: Gateway) -> Iterator[Wire]:
    with Wire(f"http://127.0.0.1:{gateway.ports['http']}") as made:
        yield made


def test_what_leaves_a_pod_is_masked_and_counts_as_if_it_had_come_straight(
    otelcol: str, tmp_path: Path, given_: Any, gateway: Gateway, wire: Wire, kept: OTLPReceiver
) -> None:
    """Every recorded call of every instrumentation, and one that says more than it should."""
    said = span(current("gpt-4o", 1000, 100, user__id="jane"), error=SECRET) | {"name": "chat"}
    said["attributes"].append({"key": WORDS, "value": {"stringValue": f"{SECRET} " * 9}})
    bodies = [call["export"] for call in SENT.values()] + [export({"service.name": "svc", "llmobs.capture": "Full.0"}, [said])]

    for body in bodies:
        gateway.post(placed(body, "straight"))
    with Beside(otelcol, tmp_path, given_.policies[0], wire.url) as pod:
        for body in bodies:
            pod.post(placed(body, "beside"))
        gateway.calls("straight", len(bodies))
        expected = gateway.value("llm_calls_total", k8s_namespace="straight")
        gateway.calls("beside", int(expected))

    assert [item for item in (b"jane@example", b"S-123456", QUESTION.encode()) if item in wire.seen] == []
    assert b"[email]" in wire.seen
    assert b"[staff]" in wire.seen
    assert REPLY.split(",")[0].encode() in wire.seen, "captured texts do pass"
    for name in ("llm_calls_total", "llm_tokens_total", "llm_cost_usd_total", "llm_output_tokens_sum", "llm_call_duration_seconds_count"):
        assert series(gateway, name, "beside") == pytest.approx(series(gateway, name, "straight"), rel=0, abs=1e-9)
    assert until(lambda: len(sent(kept, "beside")) >= len(bodies))
    assert until(lambda: sent(kept, "beside") == sent(kept, "straight"))


def test_money_is_exact_and_a_pod_that_ends_takes_nothing_along(
    otelcol: str, tmp_path: Path, given_: Any, gateway: Gateway, wire: Wire
) -> None:
    """What a Job does: its last call, and the end."""
    with Beside(otelcol, tmp_path, given_.policies[1], wire.url) as pod:
        pod.post(placed(SENT[MADE]["export"], "ends"))
        assert pod.end() == 0

    gateway.calls("ends", 1)
    assert gateway.value("llm_calls_total", k8s_namespace="ends") == 1
    assert gateway.value("llm_cost_usd_total", k8s_namespace="ends") == pytest.approx(cost(MADE), rel=0, abs=1e-9)


class Slow(Wire):
    """A gateway that has little CPU: it answers the first request late."""

    requests = 0

    def pause(self) -> None:
        self.requests += 1
        if self.requests == 1:
            threading.Event().wait(8)


def test_a_call_that_a_busy_gateway_answers_late_is_not_sent_again(otelcol: str, tmp_path: Path, given_: Any, gateway: Gateway) -> None:
    before = gateway.value("llm_calls_total", k8s_namespace="ends")
    with Slow(f"http://127.0.0.1:{gateway.ports['http']}") as slow, Beside(otelcol, tmp_path, given_.policies[1], slow.url) as pod:
        pod.post(placed(SENT[MADE]["export"], "ends"))
        assert pod.end() == 0, "it waits for the answer"

        gateway.calls("ends", int(before) + 1)
        assert slow.requests == 1
    assert gateway.value("llm_calls_total", k8s_namespace="ends") == before + 1


def test_without_its_configuration_it_starts_counts_and_lets_no_text_out(
    otelcol: str, tmp_path: Path, given_: Any, gateway: Gateway, wire: Wire
) -> None:
    """The pod came before the controller made the ConfigMap, or somebody deleted it."""
    before = gateway.value("llm_calls_total"), gateway.value("llm_cost_usd_total")

    with Beside(otelcol, tmp_path, given_.policies[0], wire.url, configured=False) as pod:
        for key in (MADE, ("openllmetry", "anthropic-messages"), ("openinference", "openai-chat")):
            pod.post(SENT[key]["export"])
            assert until(lambda calls=before[0]: gateway.value("llm_calls_total") > calls)
            assert gateway.value("llm_cost_usd_total") - before[1] == pytest.approx(cost(key), rel=0, abs=1e-9)
            before = gateway.value("llm_calls_total"), gateway.value("llm_cost_usd_total")

    assert RECORDED[MADE]["bill"]["model"].encode() in wire.seen
    assert [item for item in (QUESTION.encode(), REPLY.split(",")[0].encode()) if item in wire.seen] == []


def test_the_largest_policy_fits_into_a_variable(otelcol: str) -> None:
    patterns = [
        {"name": "n" * 39 + str(index % 10) if index < 10 else "m" * 39 + str(index % 10), "pattern": '"' * 256} for index in range(16)
    ]
    spec = {"collector": {"mode": "Sidecar"}, "content": {"capture": "Masked", "sampleRatio": 0.5, "maskPatterns": patterns}}
    [policy] = inputs({"a/p": spec}, fleet=FULL).policies

    assert len(f"{sidecar.VARIABLE}={text(policy)}".encode()) < sidecar.LARGEST
    assert accepted_as(*command(otelcol, policy)) == ""


def series(gateway: Gateway, name: str, namespace: str) -> dict[str, float]:
    """Samples by their labels, without whose they are."""
    found = gateway.samples(name, k8s_namespace=namespace)
    return {json.dumps({**labels, "k8s_namespace": ""}, sort_keys=True): value for labels, value in found}


def sent(kept: OTLPReceiver, namespace: str) -> list[str]:
    """What the backend got of a namespace's spans, sorted."""
    found = [item for item in kept.spans if item.resource["k8s.namespace.name"] == namespace]
    return sorted(json.dumps([item.trace_id, item.span_id, item.attributes, item.status, item.events], sort_keys=True) for item in found)


def test_signs_that_yaml_does_not_take_as_they_are_keep_no_pod_from_starting(otelcol: str) -> None:
    odd = "\x7f\x80\x85\x95\x9f\u2028\u2029\ufeff\ufffe\uffff\U0001f600"
    spec = {"collector": {"mode": "Sidecar"}, "content": {"capture": "Masked", "maskPatterns": [{"name": "odd", "pattern": odd}]}}
    [policy] = inputs({"a/p": spec}, fleet=FULL).policies

    assert yaml.safe_load(text(policy)) == json.loads(text(policy))
    assert odd in json.dumps(json.loads(text(policy)), ensure_ascii=False)
    assert accepted_as(*command(otelcol, policy)) == ""
