"""One call that two instrumentations tell of counts once, whatever the order; what only looks like it counts."""

from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from llmobs.catalogue import metrics
from llmobs.plan.collector import doubles

from tests.collector.conftest import inputs, sent_to
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, pairs, span
from tests.fakes.otlp import OTLPReceiver

COST, EXACT = (1000 * 2.5 + 100 * 10) / 1e6, {"rel": 0, "abs": 1e-9}
FRAMEWORK, CLIENT, BESIDE = "a.framework", "a.client", "openinference.instrumentation.langchain"

Span = dict[str, Any]
Scoped = tuple[str, list[Span]]


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> Gateway:
    to = sent_to(kept)
    return start(inputs({"seen/only": {"backends": to}}))


def call(model: str = "gpt-4o", given: Any = 1000, made: Any = 100, *, inside: Mapping[str, Any] | None = None, **more: Any) -> Span:
    """The span of a call, inside another span."""
    found = span(current(model, given, made, **more))
    return {**found, "traceId": inside["traceId"], "parentSpanId": inside["spanId"]} if inside else found


def sent(gateway: Gateway, space: str, *scopes: Scoped, resource: Mapping[str, Any] | None = None) -> None:
    """One request with these scopes, on one resource; returns when it is counted."""
    request(gateway, [(resource or {}, scopes)], space)


def request(gateway: Gateway, resources: Iterable[tuple[Mapping[str, Any], Iterable[Scoped]]], space: str) -> None:
    peer = {"peer.k8s.namespace.name": space, "peer.k8s.deployment.name": "app"}
    found = [
        {
            "resource": {"attributes": pairs({**peer, **attributes})},
            "scopeSpans": [{"scope": {"name": name}, "spans": spans} for name, spans in scopes],
        }
        for attributes, scopes in resources
    ]
    gateway.post({"resourceSpans": found})
    gateway.send(span({"llmobs.feedback.kind": "end"}), namespace=f"{space}-end")
    assert until(lambda: gateway.value(metrics.FEEDBACK, k8s_namespace=f"{space}-end") == 1)


def counted(gateway: Gateway, space: str) -> tuple[float, float]:
    """Calls and money."""
    return gateway.value(metrics.CALLS, k8s_namespace=space), gateway.value(metrics.COST, k8s_namespace=space)


OUTER = call()
INNER = call(inside=OUTER)
INNERMOST = call(inside=INNER)
PAIRS: dict[str, list[Scoped]] = {
    "inner-first": [(CLIENT, [INNER]), (FRAMEWORK, [OUTER])],
    "outer-first": [(FRAMEWORK, [OUTER]), (CLIENT, [INNER])],
    "three": [(FRAMEWORK, [OUTER]), (CLIENT, [INNERMOST]), ("between", [INNER])],
    "outer-told-no-usage": [(FRAMEWORK, [span(current("gpt-4o"), spanId=OUTER["spanId"])]), (CLIENT, [INNER])],
    "parts-told-by-one": [(FRAMEWORK, [OUTER]), (CLIENT, [call(inside=OUTER, gen_ai__usage__reasoning__output_tokens=40)])],
    "figures-as-text": [(FRAMEWORK, [OUTER]), (CLIENT, [call("gpt-4o", "1000", 100.0, inside=OUTER)])],
    "beside": [(CLIENT, [call()]), (BESIDE, [call()])],
    "beside-dated": [(BESIDE, [call()]), (CLIENT, [call("gpt-4o-2024-11-20")])],
    "beside-told-no-usage": [(BESIDE, [call("gpt-4o", None, None)]), (CLIENT, [call()])],
}


@pytest.mark.parametrize("case", PAIRS)
def test_one_call_is_one_call(gateway: Gateway, case: str) -> None:
    sent(gateway, f"pair-{case}", *PAIRS[case])

    assert counted(gateway, f"pair-{case}") == (1, pytest.approx(COST, **EXACT))
    assert gateway.value(metrics.TOKENS, k8s_namespace=f"pair-{case}") == 1100
    assert gateway.value(f"{metrics.DURATION}_count", k8s_namespace=f"pair-{case}") == 1


APART: dict[str, list[Scoped]] = {
    "an-agent-asked-inside": [(FRAMEWORK, [OUTER]), (CLIENT, [call("gpt-4o", 999, 100, inside=OUTER)])],
    "one-scope": [(CLIENT, [OUTER, INNER])],
    "unrelated": [(FRAMEWORK, [call()]), (CLIENT, [call()])],
    "beside-another-model": [(BESIDE, [call()]), (CLIENT, [call("gpt-4o-mini")])],
    "beside-other-figures": [(BESIDE, [call()]), (CLIENT, [call("gpt-4o", 1000, 101)])],
    "beside-itself": [(BESIDE, [call()]), (FRAMEWORK, [call("gpt-4o-mini", 5, 5)]), (BESIDE, [call("gpt-4o", 7, 7)])],
    "unlisted-beside": [(BESIDE, [call("nobody-lists")]), (CLIENT, [call("nobody-lists-either")])],
}


@pytest.mark.parametrize("case", APART)
def test_two_calls_are_two_calls(gateway: Gateway, case: str) -> None:
    sent(gateway, f"apart-{case}", *APART[case])

    wanted = sum(len(spans) for _, spans in APART[case])
    assert gateway.value(metrics.CALLS, k8s_namespace=f"apart-{case}") == wanted


def test_a_call_inside_another_process_counts(gateway: Gateway) -> None:
    """A proxy's: only notes of one and the same resource are looked at."""
    request(gateway, [({"service.name": "one"}, [(FRAMEWORK, [OUTER])]), ({"service.name": "two"}, [(CLIENT, [INNER])])], "processes")

    assert counted(gateway, "processes") == (2, pytest.approx(2 * COST, **EXACT))


def test_both_spans_are_sent_on_and_one_has_the_cost(gateway: Gateway, kept: OTLPReceiver) -> None:
    told = call(llmobs__feedback__kind="up")
    sent(gateway, "seen", (FRAMEWORK, [told]), (CLIENT, [call(inside=told)]))

    assert until(lambda: len(kept.spans) == 2)
    costs = sorted((item.attributes.get("llm.cost.priced"), item.attributes.get("llm.cost.usd")) for item in kept.spans)
    assert costs == [("priced", pytest.approx(COST, **EXACT)), (doubles.WRAPPER, None)]
    assert doubles.NOTES not in kept.raw.decode()
    # what a user said of the outer span is no figure of the call
    assert gateway.value(metrics.FEEDBACK, k8s_namespace="seen", kind="up") == 1


def test_notes_of_a_client_are_not_believed(gateway: Gateway) -> None:
    own = call()
    key = f"{own['spanId']}|1000|100"
    notes = {"s": "x", "t": True, "a": True, "p": {own["spanId"][-1]: {key: True}}, "f": {"gpt-4o|1000|100": True}}
    sent(gateway, "forged", (BESIDE, [own]), (FRAMEWORK, [call("gpt-4o", 1, 1)]), resource={doubles.NOTES: notes})

    assert gateway.value(metrics.CALLS, k8s_namespace="forged") == 2


@pytest.mark.parametrize("scope", [FRAMEWORK, BESIDE])
def test_a_large_request_is_counted_in_full(gateway: Gateway, scope: str) -> None:
    """Every pair, each call of figures of its own."""
    outer = [call("gpt-4o", 1000 + number, 100) for number in range(200)]
    inner = [call("gpt-4o", 1000 + number, 100, inside=item if scope == FRAMEWORK else None) for number, item in enumerate(outer)]
    sent(gateway, f"large-{scope}", (CLIENT, inner), (scope, outer))

    assert gateway.value(metrics.CALLS, k8s_namespace=f"large-{scope}") == 200


def test_too_many_calls_for_the_notes_count_all_the_same(gateway: Gateway) -> None:
    """All parents end in one digit: only so many are noted, and a call that is not noted is one more, never one less."""
    outer = [call("gpt-4o", 1000, 100) for _ in range(2 * doubles.MOST)]
    outer = [{**item, "spanId": f"{int(item['spanId'], 16):015x}7"} for item in outer]
    inner = [call("gpt-4o", 1000, 100, inside=item) for item in outer]
    sent(gateway, "crowd", (CLIENT, inner), (FRAMEWORK, outer))

    assert gateway.value(metrics.CALLS, k8s_namespace="crowd") == len(inner) + len(outer) - doubles.MOST // 2
