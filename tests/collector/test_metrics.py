"""Applications that send only metrics: the same series, counted once, at the price of input and output."""

import math
import random
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from llmobs.catalogue import metrics

from examples.chat.fake_llm.server import FakeLLM
from tests.collector.conftest import inputs
from tests.collector.gateway import PEER, Gateway, until
from tests.collector.metering import APPLICATION, GIVEN, MADE, ODD_POINTS
from tests.collector.points import CUMULATIVE, SECONDS, call, durations, metric, observed, usage
from tests.collector.spans import current, pairs, span
from tests.collector.test_hostile import VALUES, page, sound, total
from tests.fakes.otlp import OTLPReceiver
from tests.runtime import machine

METRICS = {"collector": {"source": "Metrics"}}
EXACT = {"rel": 0, "abs": 1e-9}
UNASKED, DROPPED = "filter/metrics.unasked", "filter/metrics.cumulative"


@pytest.fixture(scope="module")
def kept() -> Iterator[OTLPReceiver]:
    with OTLPReceiver() as made:
        yield made


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> Gateway:
    to = {"backends": [{"name": "here", "otlp": {"endpoint": kept.url, "insecure": True}}]}
    metered = {f"{name}/p": METRICS for name in ("shape", "late", "failing", "hostile", "app", "exponential", "total")}
    mixed = {"mixed/m": METRICS, "mixed/t": {}}
    made: Gateway = start(inputs({**metered, "both/p": {**METRICS, **to, "attributes": {"team": "payments"}}, "spans/p": to, **mixed}))
    return made


def filtered(gateway: Gateway, name: str) -> float:
    """Data points that a filter dropped."""
    return gateway.own("otelcol_processor_filter_datapoints_filtered", filter=name)


def test_calls_tokens_and_money_are_those_of_the_data_points(gateway: Gateway) -> None:
    who = call("gpt-4o")
    gateway.measure(durations(who, 0.3, 3.0), usage(who, [1000, 20], [5, 64]), namespace="shape")
    gateway.measure(durations(call("gpt-4o", error__type="Boom"), 0.1), namespace="shape")
    gateway.measure(durations(call("nobody-lists"), 0.3), usage(call("nobody-lists"), [7], [7]), namespace="shape")
    gateway.calls("shape", 4)

    words = {
        (item["model"], item["outcome"], item["error_type"], item["priced"]): v
        for item, v in gateway.samples(metrics.CALLS, k8s_namespace="shape")
    }
    assert words == {("gpt-4o", "ok", "", "estimated"): 2, ("gpt-4o", "error", "Boom", "no_usage"): 1, ("other", "ok", "", "unpriced"): 1}
    kinds = {item["token_type"]: value for item, value in gateway.samples(metrics.TOKENS, k8s_namespace="shape", model="gpt-4o")}
    assert kinds == {"input": 1020, "output": 69}
    money = gateway.value(metrics.COST, k8s_namespace="shape")
    assert money == pytest.approx(float(calc_price(Usage(input_tokens=1020, output_tokens=69), "gpt-4o").total_price), **EXACT)


@pytest.mark.parametrize("bounds", [SECONDS, (0.0, 5.0, 10.0, 25.0, 50.0), (1.0,)], ids=["conventions", "sdk", "one"])
def test_a_histogram_keeps_its_count_and_sum_and_the_bounds_it_shares(gateway: Gateway, bounds: tuple[float, ...]) -> None:
    drawn = random.Random(len(bounds))
    seconds = [drawn.lognormvariate(0.5, 1.5) for _ in range(500)]
    points = [{**observed(part, bounds), "attributes": pairs(call("gpt-4o"))} for part in (seconds[:20], seconds[20:])]
    workload = f"w{len(bounds)}"

    gateway.measure(metric("gen_ai.client.operation.duration", points, unit="s"), namespace="late", workload=workload)
    assert until(lambda: gateway.value(metrics.CALLS, k8s_workload=workload) == len(seconds))

    name = metrics.DURATION
    assert gateway.value(f"{name}_count", k8s_workload=workload) == len(seconds)
    assert gateway.value(f"{name}_sum", k8s_workload=workload) == pytest.approx(sum(seconds), rel=1e-6)
    read = {float(item["le"]): value for item, value in gateway.samples(f"{name}_bucket", k8s_workload=workload)}
    for bound in set(bounds) & set(read):
        assert read[bound] == sum(value <= bound for value in seconds), bound


def test_the_first_chunk_of_a_stream_is_timed(gateway: Gateway) -> None:
    who = pairs(call("gpt-4o"))
    points = [{**observed([0.05, 0.3, 0.3], SECONDS), "attributes": who}]
    failed = [{**observed([0.05], SECONDS), "attributes": pairs(call("gpt-4o", error__type="Boom"))}]
    streamed = metric("gen_ai.client.operation.time_to_first_chunk", points + failed, unit="s")
    gateway.measure(streamed, durations(call("gpt-4o"), 1.0, 2.0, 3.0), namespace="late", workload="stream")
    assert until(lambda: gateway.value(metrics.CALLS, k8s_workload="stream") == 3)

    assert gateway.value(f"{metrics.FIRST_CHUNK}_count", k8s_workload="stream") == 3
    assert gateway.value(f"{metrics.FIRST_CHUNK}_bucket", k8s_workload="stream", le="0.08") == 1
    assert gateway.value(f"{metrics.FIRST_CHUNK}_sum", k8s_workload="stream") == pytest.approx(0.65)
    assert gateway.value(f"{metrics.DURATION}_count", k8s_workload="stream") == 3


def test_spans_of_such_a_pod_go_out_and_count_nothing(gateway: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
    gateway.send(span(current("gpt-4o", 1000, 100), name="c"), span(tool, name="t"), namespace="both")
    gateway.measure(durations(call("gpt-4o"), 0.3), usage(call("gpt-4o"), [1000], [100]), namespace="both")
    gateway.send(span(current("gpt-4o", 1000, 100)), namespace="spans")
    gateway.calls("both", 1)
    gateway.calls("spans", 1)

    assert kept.wait(lambda receiver: len(receiver.spans) == 3)
    assert {item.name: item.attributes.get("llm.cost.usd") for item in kept.spans if item.name == "c"} == {"c": pytest.approx(0.0035)}
    found = page(gateway)
    for space, word in (("both", "estimated"), ("spans", "priced")):
        assert total(found, metrics.CALLS, k8s_namespace=space) == total(found, metrics.CALLS, k8s_namespace=space, priced=word) == 1
        assert total(found, metrics.COST, k8s_namespace=space) == pytest.approx(0.0035, **EXACT)
        assert total(found, f"{metrics.DURATION}_count", k8s_namespace=space) == 1
    assert {item.labels["team"] for item in found if item.labels.get("k8s_namespace") == "both"} == {"payments"}
    assert total(found, metrics.TOOL_CALLS, k8s_namespace="both") == 0


def test_metrics_that_no_policy_asked_for_are_dropped_and_counted(gateway: Gateway) -> None:
    before = filtered(gateway, UNASKED)
    sent = (durations(call("gpt-4o"), 0.3), usage(call("gpt-4o"), [1000], [100]))
    for space in ("quiet", "mixed", ""):
        gateway.measure(*sent, namespace=space)
    gateway.measure(*sent, namespace="mixed", resource={f"{PEER}llmobs.policy": "mixed/t"})
    gateway.measure(*sent, namespace="quiet", resource={f"{PEER}llmobs.policy": "mixed/m"})

    assert until(lambda: filtered(gateway, UNASKED) == before + 5 * 3)
    assert not any(item.labels.get("k8s_namespace") in {"quiet", "mixed", "unknown"} for item in page(gateway))


def test_each_pod_is_counted_as_its_own_policy_says(gateway: Gateway) -> None:
    """Two policies of one namespace: a pod is counted from metrics or from spans, never from both."""
    for name in ("m", "t"):
        whose = {f"{PEER}llmobs.policy": f"mixed/{name}"}
        gateway.measure(durations(call("gpt-4o"), 0.3), namespace="mixed", workload=name, resource=whose)
        gateway.send(span(current("gpt-4o", 10, 1)), namespace="mixed", workload=name, resource=whose)
    gateway.calls("mixed", 2)

    seen = {item["k8s_workload"]: (item["priced"], value) for item, value in gateway.samples(metrics.CALLS, k8s_namespace="mixed")}
    assert seen == {"m": ("estimated", 1), "t": ("priced", 1)}


def test_totals_since_a_process_began_are_dropped_and_counted(gateway: Gateway) -> None:
    before = filtered(gateway, DROPPED)
    gateway.measure(
        durations(call("gpt-4o"), 0.3, temporality=CUMULATIVE), usage(call("gpt-4o"), [1], [1], temporality=CUMULATIVE), namespace="late"
    )

    assert until(lambda: filtered(gateway, DROPPED) == before + 3)


def test_nobody_writes_a_series_or_an_identity_of_ours(gateway: Gateway) -> None:
    mine = {"k8s.namespace.name": "victim", "llmobs.source": 1, "llmobs.who": "victim", "llmobs.id.team": "x", "k8s_namespace": "victim"}
    on_points = {
        **mine,
        "llm.cost.usd": 1e6,
        "llmobs.tokens": 1e6,
        "llmobs.n3": 9.0,
        "llmobs.v3": 1.0,
        "llm.model": "x",
        "llmobs.place": 0,
        "llmobs.row": 0,
        "llmobs.token_type": "x",
    }
    attributes = call("nobody-lists", **{key.replace(".", "__"): value for key, value in on_points.items()})
    sent = [durations(attributes, 0.3), usage(attributes, [3], [2])]
    sent += [
        metric(name, [{"asDouble": 1e6, "attributes": pairs(on_points)}], shape="sum", isMonotonic=True)
        for name in (metrics.COST, "llm_cost_usd", "llm_calls")
    ]
    sent.append(metric("gen_ai.client.token.usage", [{"asDouble": 1e6, "attributes": pairs(attributes)}], shape="sum", isMonotonic=True))

    gateway.measure(*sent, namespace="failing", resource=mine, **mine)
    gateway.calls("failing", 1)

    found = [item for item in page(gateway) if item.labels.get("k8s_namespace") == "failing"]
    sound(found)
    assert {item.labels["model"] for item in found} == {"other"}
    assert total(found, metrics.CALLS) == 1
    assert total(found, metrics.TOKENS) == 5
    assert total(found, metrics.COST) == 0
    assert total(found, f"{metrics.DURATION}_count") == 1
    assert gateway.samples(metrics.CALLS, k8s_namespace="victim") == []


def test_no_value_stops_or_spoils_a_series(gateway: Gateway) -> None:
    before = {"calls": 0, "points": 0}
    for odd in ODD_POINTS.values():
        point = {key: value for key, value in {**observed([0.3], SECONDS), **odd}.items() if value is not None}
        tokens = {key: value for key, value in {**observed([3.0]), **odd}.items() if value is not None}
        for kind in ("input", "output", "x"):
            points = [{**tokens, "attributes": pairs(call("gpt-4o", gen_ai__token__type=kind))}]
            gateway.measure(metric("gen_ai.client.token.usage", points), namespace="hostile")
        points = [{**point, "attributes": pairs(call("gpt-4o"))}]
        gateway.measure(metric("gen_ai.client.operation.duration", points, unit="s"), namespace="hostile")
        before["calls"] += int(odd.get("count", 1)) == 1
    for value in VALUES.values():
        for name in (
            "gen_ai.provider.name",
            "gen_ai.request.model",
            "error.type",
            "gen_ai.token.type",
            "gen_ai.system",
            "gen_ai.response.model",
        ):
            extra = [{"key": name, "value": value}]
            rest = [item for item in pairs(call("gpt-4o")) if item["key"] != name]
            points = [{**observed([0.3], SECONDS), "attributes": rest + extra}]
            gateway.measure(metric("gen_ai.client.operation.duration", points, unit="s"), namespace="hostile")
            before["calls"] += 1
            points = [{**observed([3.0]), "attributes": rest + extra}]
            gateway.measure(metric("gen_ai.client.token.usage", points), namespace="hostile")
    gateway.measure(durations(call("gpt-4o"), 0.3), usage(call("gpt-4o"), [10], [1]), namespace="hostile", workload="good")
    assert until(lambda: gateway.value(metrics.CALLS, k8s_workload="good") == 1)

    found = [item for item in page(gateway) if item.labels.get("k8s_namespace") == "hostile"]
    sound(found)
    assert total(found, metrics.CALLS, k8s_workload="app") == before["calls"]
    assert total(found, metrics.TOKENS, k8s_workload="good") == 11
    assert total(found, metrics.TOKENS) < math.inf


@pytest.fixture(scope="module")
def application(gateway: Gateway) -> Iterator[Callable[..., None]]:
    """Runs the application to its end in a namespace."""
    python = machine.environment("metrics")
    with FakeLLM() as llm:

        def run(namespace: str, *arguments: str, **environ: str) -> None:
            inside = {
                "OPENAI_API_KEY": "k",
                "OPENAI_BASE_URL": f"{llm.url}/v1",
                "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{gateway.ports['http']}",
                "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
                "OTEL_RESOURCE_ATTRIBUTES": f"{PEER}k8s.namespace.name={namespace},service.name=chat",
                **environ,
            }
            done = subprocess.run(
                [python, "-c", APPLICATION, *arguments], env=inside, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0, done.stderr

        yield run


def estimated(given: int, made: int) -> Any:
    """What the price library itself says of input and output."""
    return pytest.approx(float(calc_price(Usage(input_tokens=given, output_tokens=made), "gpt-4o").total_price), **EXACT)


def test_a_real_application_is_counted_once(gateway: Gateway, application: Any) -> None:
    """Two processes of it, one after the other, the second of which sends spans of the same calls too."""
    application("app")
    application("app", "spans")
    gateway.calls("app", 14)

    found = page(gateway)
    assert total(found, metrics.CALLS, k8s_namespace="app") == 14
    assert total(found, metrics.CALLS, k8s_namespace="app", outcome="error") == 2
    assert total(found, metrics.TOKENS, k8s_namespace="app", token_type="input") == GIVEN * 2
    assert total(found, metrics.TOKENS, k8s_namespace="app", token_type="output") == MADE * 2
    assert total(found, metrics.COST, k8s_namespace="app") == estimated(GIVEN * 2, MADE * 2)
    assert total(found, f"{metrics.DURATION}_count", k8s_namespace="app") == 14
    assert total(found, f"{metrics.INPUT_TOKENS}_sum", k8s_namespace="app") == pytest.approx(GIVEN * 2)


def test_exponential_histograms_count_without_buckets(gateway: Gateway, application: Any) -> None:
    application("exponential", OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION="base2_exponential_bucket_histogram")
    gateway.calls("exponential", 7)

    assert gateway.value(metrics.TOKENS, k8s_namespace="exponential") == GIVEN + MADE
    assert gateway.value(metrics.COST, k8s_namespace="exponential") == estimated(GIVEN, MADE)
    assert gateway.samples(f"{metrics.DURATION}_count", k8s_namespace="exponential") == []


def test_an_application_that_sends_totals_counts_nothing(gateway: Gateway, application: Any) -> None:
    before = filtered(gateway, DROPPED)
    application("total", OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="cumulative")

    assert until(lambda: filtered(gateway, DROPPED) > before)
    assert gateway.samples(metrics.CALLS, k8s_namespace="total") == []
