"""Runs of agents that nobody summed up before: rolled up from spans, exactly or not at all, and never added to the money of calls."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from llmobs.catalogue import metrics
from llmobs.plan.collector import rollup

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, span

COST = (1000 * 2.5 + 100 * 10) / 1e6
EXACT = {"rel": 0, "abs": 1e-9}
CLIENT, SERVER, INTERNAL = 3, 2, 1
_ids = itertools.count(0x1000)


def hurried(config: dict[str, Any]) -> None:
    """Spans are held for two seconds: every other interval is the spans' own."""
    config["processors"][rollup.BY_TRACE]["wait_duration"] = "2s"


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    spaces = ["one", "many", "deep", "split", "served", "orphan", "long", "told", "unpriced", "failed", "large", "two"]
    specs = {f"{name}/p": {"agents": {"rollUp": True}} for name in spaces}
    made: Gateway = start(inputs({**specs, "unasked/p": {}}), change=hurried)
    return made


class Trace:
    """Spans of one trace."""

    def __init__(self) -> None:
        self.trace = f"{next(_ids):032x}"
        self.spans: list[dict[str, Any]] = []

    def add(self, attributes: dict[str, Any], parent: str = "", *, seconds: float = 1, kind: int = INTERNAL, **more: Any) -> str:
        place = {"traceId": self.trace, "spanId": f"{next(_ids) * 7919:016x}", "kind": kind}
        made = span(attributes, seconds=seconds, **more) | place
        self.spans.append(made | ({"parentSpanId": parent} if parent else {}))
        return str(made["spanId"])

    def agent(self, name: str, parent: str = "", **more: Any) -> str:
        return self.add({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name}, parent, **more)

    def call(self, parent: str, model: str = "gpt-4o", **more: Any) -> str:
        return self.add(current(model, 1000, 100), parent, kind=CLIENT, **more)


def runs(gateway: Gateway, space: str) -> dict[tuple[str, str], float]:
    return {(labels["agent"], labels["outcome"]): value for labels, value in gateway.samples(metrics.RUNS, k8s_namespace=space)}


def figures(gateway: Gateway, space: str, name: str) -> dict[str, tuple[float, float]]:
    """Agent -> how many runs, and their sum."""
    sums = {labels["agent"]: value for labels, value in gateway.samples(f"{name}_sum", k8s_namespace=space)}
    return {labels["agent"]: (value, sums[labels["agent"]]) for labels, value in gateway.samples(f"{name}_count", k8s_namespace=space)}


def settled(gateway: Gateway, space: str) -> None:
    """A run that is sent last has been told: what was sent before it has been let go before it."""
    last = Trace()
    last.agent("last")
    gateway.send(*last.spans, namespace=space)
    assert until(lambda: ("last", "ok") in runs(gateway, space)), runs(gateway, space)


def test_calls_of_interleaved_traces_find_their_run(gateway: Gateway) -> None:
    traces = [Trace() for _ in range(5)]
    for number, trace in enumerate(traces):
        top = trace.agent(f"a{number}")
        step = trace.add({"code.function": "plan"}, top)
        inner = trace.agent("inner", step)
        for _ in range(number):
            trace.call(inner)
        trace.call(top)
        trace.add({**current("text-embedding-3-small", 1000, None), "gen_ai.operation.name": "embeddings"}, step, kind=CLIENT)
    mixed = [item for each in itertools.zip_longest(*(reversed(trace.spans) for trace in traces)) for item in each if item]
    for start in range(0, len(mixed), 7):
        gateway.send(*mixed[start : start + 7], namespace="many")
    settled(gateway, "many")

    assert runs(gateway, "many") == {("last", "ok"): 1, **{(f"a{number}", "ok"): 1 for number in range(5)}}
    steps, cost = figures(gateway, "many", metrics.RUN_STEPS), figures(gateway, "many", metrics.RUN_COST)
    embedding = 1000 * 0.02 / 1e6
    for number in range(5):
        assert steps[f"a{number}"] == (1, number + 1)
        assert cost[f"a{number}"] == (1, pytest.approx((number + 1) * COST + embedding, **EXACT))
    assert gateway.value(metrics.CALLS, k8s_namespace="many") == 20
    assert gateway.value(metrics.COST, k8s_namespace="many") == pytest.approx(15 * COST + 5 * embedding, **EXACT)


def test_two_runs_of_one_trace_are_two(gateway: Gateway) -> None:
    trace = Trace()
    request = trace.add({"http.request.method": "POST"}, "00000000000000ff", kind=SERVER, seconds=5)
    first, second = trace.agent("first", request), trace.agent("second", request, error="boom")
    trace.call(first)
    trace.call(first)
    trace.call(second)
    trace.call(request)
    gateway.send(*trace.spans, namespace="two")
    settled(gateway, "two")

    assert runs(gateway, "two") == {("last", "ok"): 1, ("first", "ok"): 1, ("second", "error"): 1}
    steps = figures(gateway, "two", metrics.RUN_STEPS)
    assert (steps["first"], steps["second"]) == ((1, 2), (1, 1))


def test_a_call_far_below_its_agent_finds_it(gateway: Gateway) -> None:
    trace = Trace()
    place = trace.agent("top")
    for _ in range(60):
        place = trace.add({"code.function": "f"}, place)
    trace.call(place)
    gateway.send(*reversed(trace.spans), namespace="deep")
    settled(gateway, "deep")

    assert figures(gateway, "deep", metrics.RUN_STEPS)["top"] == (1, 1)


@pytest.mark.parametrize("space", ["orphan", "long", "told", "large"])
def test_what_is_not_seen_as_a_whole_is_not_told(gateway: Gateway, space: str) -> None:
    trace = Trace()
    if space == "orphan":  # what is above it has not come
        trace.call(trace.agent("part", "00000000000000ff"))
    elif space == "long":  # its first calls may have been let go before
        request = trace.add({}, "00000000000000ff", kind=SERVER, seconds=rollup.LONGEST + 1)
        trace.call(trace.agent("part", request, seconds=2))
    elif space == "told":  # the runtime has summed it up
        outer = trace.agent("outer")
        trace.spans[-1] = trace.spans[-1] | {
            "attributes": [*trace.spans[-1]["attributes"], {"key": "llmobs.run.steps", "value": {"intValue": "1"}}]
        }
        trace.call(trace.agent("part", outer))
    else:
        first = trace.add({}, "")
        for _ in range(rollup.MOST):
            trace.add({}, first)
        trace.call(trace.agent("part", first))
    gateway.send(*trace.spans, namespace=space)
    settled(gateway, space)

    told = {("outer", "ok"): 1.0} if space == "told" else {}
    assert runs(gateway, space) == {("last", "ok"): 1, **told}
    assert gateway.value(metrics.CALLS, k8s_namespace=space) == 1


def test_a_run_of_unknown_money_has_steps_and_no_cost(gateway: Gateway) -> None:
    trace = Trace()
    top = trace.agent("dear")
    trace.call(top)
    trace.call(top, model="nobody-knows")
    failed = Trace()
    failed.add(current("gpt-4o"), failed.agent("tries"), kind=CLIENT, error="busy")
    gateway.send(*trace.spans, *failed.spans, namespace="unpriced")
    settled(gateway, "unpriced")

    assert runs(gateway, "unpriced") == {("last", "ok"): 1, ("dear", "ok"): 1, ("tries", "ok"): 1}
    assert figures(gateway, "unpriced", metrics.RUN_STEPS)["dear"] == (1, 2)
    cost = figures(gateway, "unpriced", metrics.RUN_COST)
    assert "dear" not in cost
    assert cost["tries"] == (1, 0)


def test_services_of_one_trace_are_rolled_up_apart_and_replicas_together(gateway: Gateway) -> None:
    trace = Trace()
    outer = trace.agent("outer")
    asked = trace.add({}, outer, kind=CLIENT)
    gateway.send(*trace.spans, namespace="served", workload="front")
    trace.spans.clear()
    inner = trace.agent("inner", trace.add({}, asked, kind=SERVER))
    call = trace.spans[:]
    trace.call(inner)
    gateway.send(*call, namespace="served", workload="back", resource={"service.instance.id": "1"})
    gateway.send(trace.spans[-1], namespace="served", workload="back", resource={"service.instance.id": "2"})
    settled(gateway, "served")

    assert runs(gateway, "served") == {("last", "ok"): 1, ("outer", "ok"): 1, ("inner", "ok"): 1}
    steps = figures(gateway, "served", metrics.RUN_STEPS)
    assert (steps["outer"], steps["inner"]) == ((1, 0), (1, 1))


def test_nobody_who_did_not_ask_is_rolled_up(gateway: Gateway) -> None:
    trace = Trace()
    trace.call(trace.agent("mine"))
    gateway.send(*trace.spans, namespace="unasked")
    gateway.send(*trace.spans, namespace="stranger")
    settled(gateway, "one")

    assert runs(gateway, "unasked") == runs(gateway, "stranger") == {}
    assert gateway.value(metrics.CALLS, k8s_namespace="unasked") == 1


def test_runs_of_the_runtime_beside_it_are_counted_on(gateway: Gateway) -> None:
    """Both ways to one series are one stream: nothing is dropped for being late."""
    for _ in range(10):
        gateway.send(
            span({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "same", "llmobs.run.steps": 1}, name="told"),
            namespace="split",
        )
        trace = Trace()
        trace.call(trace.agent("same"))
        gateway.send(*trace.spans, namespace="split")
    assert until(lambda: runs(gateway, "split").get(("same", "ok")) == 20), runs(gateway, "split")
