"""Money and tokens, exactly, from every generation of conventions."""

from typing import Any

import pytest
from llmobs.api.effective import Identity
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.kit.decode import decode
from llmobs.prices.providers import canonical
from llmobs.prices.table import table

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, span

EXACT = {"rel": 0, "abs": 1e-9}

PRICES = {
    "prices": [
        {"model": "m-plain", "inputPerMillion": 2.5, "outputPerMillion": 10},
        {"model": "m-cached", "inputPerMillion": 3, "outputPerMillion": 15, "cachedInputPerMillion": 0.3, "cacheWritePerMillion": 3.75},
        {"model": "m-thinking", "inputPerMillion": 1, "outputPerMillion": 4, "reasoningPerMillion": 6},
        {"model": "m-embed", "inputPerMillion": 0.02, "outputPerMillion": 0},
        {"model": "m-plain", "provider": "azure.ai.openai", "inputPerMillion": 5, "outputPerMillion": 20},
        {"model": "m-plain-2024-05-13", "inputPerMillion": 7, "outputPerMillion": 14},
        {"model": "m-tiny", "inputPerMillion": 0.0000003, "outputPerMillion": 0.0000007},
    ],
    "aliases": [{"from": "my-deployment", "to": "m-plain"}],
}


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    prices = table([(Identity("list"), decode(LLMPriceListSpec, PRICES))])
    return start(inputs(prices=prices, settings={"clusterName": "east"}))


def openllmetry(model: str, given: int, made: int, **more: Any) -> dict[str, Any]:
    found = {"gen_ai.provider.name": "OpenAI", "llm.request.type": "chat", "traceloop.workflow.name": "flow"}
    usage = {"gen_ai.usage.input_tokens": given, "gen_ai.usage.output_tokens": made, "llm.usage.total_tokens": given + made}
    return {**found, "gen_ai.request.model": model, **usage, **more}


def openinference(model: str, given: int, made: int, kind: str = "LLM", **more: Any) -> dict[str, Any]:
    usage = {"llm.token_count.prompt": given, "llm.token_count.completion": made}
    return {"openinference.span.kind": kind, "llm.system": "openai", "llm.model_name": model, **usage, **more}


def old(model: str, given: int, made: int, **more: Any) -> dict[str, Any]:
    usage = {"gen_ai.usage.prompt_tokens": given, "gen_ai.usage.completion_tokens": made}
    return {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": model, **usage, **more}


CASES: dict[str, tuple[dict[str, Any], float, dict[str, float]]] = {
    "current": (current("m-plain", 1000, 100), (1000 * 2.5 + 100 * 10) / 1e6, {"input": 1000, "output": 100}),
    "until-1-36": (old("m-plain", 1000, 100), 0.0035, {"input": 1000, "output": 100}),
    "openllmetry": (openllmetry("m-plain", 1000, 100), 0.0035, {"input": 1000, "output": 100}),
    "openinference": (openinference("m-plain", 1000, 100), 0.0035, {"input": 1000, "output": 100}),
    "cached": (
        current(
            "m-cached",
            120,
            10,
            provider="anthropic",
            gen_ai__usage__cache_read__input_tokens=40,
            gen_ai__usage__cache_write__input_tokens=30,
        ),
        (50 * 3 + 40 * 0.3 + 30 * 3.75 + 10 * 15) / 1e6,
        {"input": 50, "cache_read": 40, "cache_write": 30, "output": 10},
    ),
    "cached-until-1-41": (
        current("m-cached", 120, 10, gen_ai__usage__cache_read__input_tokens=40, gen_ai__usage__cache_creation__input_tokens=30),
        (50 * 3 + 40 * 0.3 + 30 * 3.75 + 10 * 15) / 1e6,
        {"input": 50, "cache_read": 40, "cache_write": 30, "output": 10},
    ),
    "cached-openllmetry": (
        openllmetry("m-cached", 120, 10, **{"gen_ai.usage.cache_read_input_tokens": 40, "gen_ai.usage.cache_creation_input_tokens": 30}),
        (50 * 3 + 40 * 0.3 + 30 * 3.75 + 10 * 15) / 1e6,
        {"input": 50, "cache_read": 40, "cache_write": 30, "output": 10},
    ),
    "cached-openinference": (
        openinference(
            "m-cached",
            120,
            10,
            **{"llm.token_count.prompt_details.cache_read": 40, "llm.token_count.prompt_details.cache_write": 30},
        ),
        (50 * 3 + 40 * 0.3 + 30 * 3.75 + 10 * 15) / 1e6,
        {"input": 50, "cache_read": 40, "cache_write": 30, "output": 10},
    ),
    "cached-apart": (
        current("m-cached", 50, 10, gen_ai__usage__cache_read__input_tokens=400, gen_ai__usage__cache_write__input_tokens=30),
        (50 * 3 + 400 * 0.3 + 30 * 3.75 + 10 * 15) / 1e6,
        {"input": 50, "cache_read": 400, "cache_write": 30, "output": 10},
    ),
    "cached-no-rate": (
        current("m-plain", 1000, 100, gen_ai__usage__cache_read__input_tokens=600),
        0.0035,
        {"input": 400, "cache_read": 600, "output": 100},
    ),
    "reasoning": (
        current("m-thinking", 10, 1000, gen_ai__usage__reasoning__output_tokens=900),
        (10 * 1 + 100 * 4 + 900 * 6) / 1e6,
        {"input": 10, "output": 100, "reasoning": 900},
    ),
    "reasoning-old-name": (
        current("m-thinking", 10, 1000, gen_ai__usage__reasoning_tokens=900),
        (10 * 1 + 100 * 4 + 900 * 6) / 1e6,
        {"input": 10, "output": 100, "reasoning": 900},
    ),
    "embeddings": (current("m-embed", 2000, gen_ai__operation__name="embeddings"), 0.00004, {"input": 2000}),
    "words": (current("m-plain", "1000", "100"), 0.0035, {"input": 1000, "output": 100}),
    "tiny": (current("m-tiny", 10_000_000, 10_000_000), 0.00001, {"input": 1e7, "output": 1e7}),
    "provider": (current("m-plain", 1000, 100, provider="az.ai.openai"), 0.007, {"input": 1000, "output": 100}),
    "alias": (current("my-deployment", 1000, 100), 0.0035, {"input": 1000, "output": 100}),
    "alias-of-provider": (current("My-Deployment", 1000, 100, provider="azure"), 0.007, {"input": 1000, "output": 100}),
    "answering": (current("nobody-lists", 1000, 100, gen_ai__response__model="m-plain-2025-01-01"), 0.0035, {"input": 1000, "output": 100}),
}


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_counted_to_the_cent_and_the_token(gateway: Gateway, name: str) -> None:
    attributes, cost, tokens = CASES[name]
    space = f"case-{name}"

    gateway.send(span(attributes), span(attributes), namespace=space)
    gateway.calls(space, 2)

    assert gateway.value("llm_cost_usd_total", k8s_namespace=space) == pytest.approx(2 * cost, **EXACT)
    counted = {labels["token_type"]: value for labels, value in gateway.samples("llm_tokens_total", k8s_namespace=space)}
    assert counted == {kind: 2 * count for kind, count in tokens.items()}
    assert gateway.value("llm_calls_total", k8s_namespace=space, priced="priced", outcome="ok", error_type="") == 2


BEDROCK, OTHER_SCOPE = "opentelemetry.instrumentation.genai.bedrock", "opentelemetry.instrumentation.genai.anthropic"


@pytest.mark.parametrize(("scope", "uncached"), [(BEDROCK, 500), (OTHER_SCOPE, 430)])
def test_input_of_some_scopes_is_beside_the_cached_tokens(gateway: Gateway, scope: str, uncached: int) -> None:
    space = f"scope-{uncached}"
    cached = {"gen_ai__usage__cache_read__input_tokens": 40, "gen_ai__usage__cache_write__input_tokens": 30}

    gateway.send(span(current("m-cached", 500, 10, provider="aws.bedrock", **cached)), namespace=space, scope=scope)
    gateway.calls(space, 1)

    assert gateway.value("llm_tokens_total", k8s_namespace=space, token_type="input") == uncached
    cost = (uncached * 3 + 40 * 0.3 + 30 * 3.75 + 10 * 15) / 1e6
    assert gateway.value("llm_cost_usd_total", k8s_namespace=space) == pytest.approx(cost, **EXACT)


NAMES = {
    "m-plain-2024-11-20": ("m-plain", 2.5),
    "m-plain-2024-05-13": ("m-plain-2024-05-13", 7),
    "openai/m-plain-2024-05-13": ("m-plain-2024-05-13", 7),
    "OpenAI/M-Plain": ("m-plain", 2.5),
    "models/m-plain-latest": ("m-plain", 2.5),
    "us.anthropic.m-plain-20250514-v1:0": ("m-plain", 2.5),
    "m-plain@20250514": ("m-plain", 2.5),
}


@pytest.mark.parametrize(("asked", "index"), [(asked, index) for index, asked in enumerate(NAMES)])
def test_the_model_is_called_by_its_canonical_name(gateway: Gateway, asked: str, index: int) -> None:
    space = f"name-{index}"
    model, rate = NAMES[asked]

    gateway.send(span(current(asked, 1000, 0)), namespace=space)
    gateway.calls(space, 1)

    assert gateway.value("llm_cost_usd_total", k8s_namespace=space, model=model) == pytest.approx(rate / 1000, **EXACT)


def test_every_label_of_every_series(gateway: Gateway) -> None:
    sent = current("m-plain", 10, 1, gen_ai__agent__name="planner", gen_ai__workflow__name="trip")
    words = {"team": "payments", "feature": "checkout", "environment": "prod"}
    identity = {"k8s_namespace": "labels", "k8s_workload": "web", "service_name": "svc", **words, "cluster": "east"}

    gateway.send(span(sent, seconds=0.25), namespace="labels", workload="web", resource=words)
    gateway.calls("labels", 1)

    called = {"provider": "openai", "model": "m-plain", "operation": "chat", "outcome": "ok"}
    assert gateway.samples("llm_calls_total", k8s_namespace="labels") == [({**identity, **called, "error_type": "", "priced": "priced"}, 1)]
    money, named = {"provider": "openai", "model": "m-plain"}, {"agent": "planner", "workflow": "trip"}
    assert [labels for labels, _ in gateway.samples("llm_cost_usd_total", k8s_namespace="labels")] == [{**identity, **money}]
    assert until(lambda: gateway.value("llm_agent_cost_usd_total", k8s_namespace="labels") > 0)
    assert [labels for labels, _ in gateway.samples("llm_agent_cost_usd_total", k8s_namespace="labels")] == [{**identity, **money, **named}]
    tokens = [{**identity, "provider": "openai", "model": "m-plain", "token_type": kind} for kind in ("input", "output")]
    assert sorted((labels for labels, _ in gateway.samples("llm_tokens_total", k8s_namespace="labels")), key=str) == sorted(tokens, key=str)
    assert gateway.samples("llm_call_duration_seconds_count", k8s_namespace="labels") == [({**identity, **called}, 1)]
    assert gateway.value("llm_call_duration_seconds_sum", k8s_namespace="labels") == pytest.approx(0.25, **EXACT)
    assert gateway.value("llm_call_duration_seconds_bucket", k8s_namespace="labels", le="0.16") == 0
    assert gateway.value("llm_call_duration_seconds_bucket", k8s_namespace="labels", le="0.32") == 1


@pytest.mark.parametrize("priced", ["unpriced", "no_usage"])
def test_a_call_without_a_price_is_visible_and_never_free(gateway: Gateway, priced: str) -> None:
    used = (1000, 100) if priced == "unpriced" else (None, None)

    gateway.send(span(current("nobody-lists", *used)), namespace=priced)
    gateway.calls(priced, 1)

    assert gateway.value("llm_calls_total", k8s_namespace=priced, model="other", priced=priced) == 1
    assert gateway.samples("llm_cost_usd_total", k8s_namespace=priced) == []
    assert gateway.value("llm_tokens_total", k8s_namespace=priced, model="other") == sum(item or 0 for item in used)


def test_a_failed_call_is_counted_with_its_error(gateway: Gateway) -> None:
    gateway.send(
        span(current("m-plain", error__type="openai.RateLimitError"), error="slow down"),
        span(current("m-plain"), error="no word on why"),
        span(current("m-plain", error__type="a sentence, not a type " * 9)),
        namespace="failed",
    )
    gateway.calls("failed", 3)

    failed = {"k8s_namespace": "failed", "outcome": "error", "priced": "no_usage", "model": "m-plain"}
    assert gateway.value("llm_calls_total", **failed, error_type="openai.RateLimitError") == 1
    assert gateway.value("llm_calls_total", **failed, error_type="_OTHER") == 2


def test_wrappers_around_a_call_are_not_billed(gateway: Gateway) -> None:
    used = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100, "gen_ai.request.model": "m-plain"}
    wrappers = ["invoke_agent", "invoke_workflow", "execute_tool", "create_agent", "fetch_response", "retrieval"]

    gateway.send(
        *(span({"gen_ai.operation.name": name, **used}) for name in wrappers),
        span(openinference("m-plain", 1000, 100, kind="CHAIN")),
        span(openinference("m-plain", 1000, 100, kind="AGENT")),
        span({"traceloop.span.kind": "workflow", **used}),
        span({"http.request.method": "POST"}),
        span(current("m-plain", 1000, 100)),
        namespace="wrapped",
    )
    gateway.calls("wrapped", 1)

    assert gateway.value("llm_calls_total", k8s_namespace="wrapped") == 1
    assert gateway.value("llm_cost_usd_total", k8s_namespace="wrapped") == pytest.approx(0.0035, **EXACT)


HOSTILE = ["NaN", "Inf", "-Inf", "abc", -5, -0.5, 1e300, 2**62, [1, 2], {"a": 1}]


@pytest.mark.parametrize(
    "field", ["input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens", "reasoning.output_tokens"]
)
def test_a_hostile_count_is_visible_and_worth_nothing(gateway: Gateway, field: str) -> None:
    space = f"hostile-{field.replace('.', '-').replace('_', '-')}"
    bad = [{**current("m-plain", 1000, 100), f"gen_ai.usage.{field}": value} for value in HOSTILE]

    gateway.send(*(span(item) for item in bad), span(current("m-plain", 1000, 100)), namespace=space)
    gateway.calls(space, len(bad) + 1)

    assert gateway.value("llm_calls_total", k8s_namespace=space, priced="bad_usage") == len(bad)
    assert gateway.value("llm_calls_total", k8s_namespace=space, priced="priced") == 1
    assert gateway.value("llm_cost_usd_total", k8s_namespace=space) == pytest.approx(0.0035, **EXACT)
    assert gateway.value("llm_tokens_total", k8s_namespace=space) == 1100


def test_hostile_words_and_times_do_no_harm(gateway: Gateway) -> None:
    odd = current("m" * 1_000_000, 1, 1, provider="p" * 5000, gen_ai__agent__name="a" * 5000)
    gateway.send(
        span(odd),
        span(current("m-plain", 1, 1, gen_ai__agent__name=["a", "list"], provider='"}{\n')),
        span({**current("x", 1, 1), "gen_ai.request.model": 7}),
        {**span(current("m-plain", 1, 1)), "endTimeUnixNano": "1"},
        {**span(current("m-plain", 1, 1)), "startTimeUnixNano": "1"},
        namespace="odd",
        resource={"service.name": 5, "team": {"a": "map"}},
    )
    gateway.calls("odd", 5)

    assert gateway.value("llm_call_duration_seconds_count", k8s_namespace="odd") == 3
    assert until(lambda: bool(gateway.samples("llm_agent_cost_usd_total", k8s_namespace="odd")))
    assert {len(labels["agent"]) for labels, _ in gateway.samples("llm_agent_cost_usd_total", k8s_namespace="odd")} <= {12, 128}
    assert {labels["provider"] for labels, _ in gateway.samples("llm_calls_total", k8s_namespace="odd")} == {"unknown", "openai"}
    assert {labels["service_name"] for labels, _ in gateway.samples("llm_calls_total", k8s_namespace="odd")} == {"5"}


def test_discounts_are_taken_off_list_prices_only(start: Any) -> None:
    shares = {"defaultDiscount": 0.1, "discounts": [{"provider": "azure", "discount": 0.3}, {"provider": "anthropic", "discount": 0}]}
    spec = decode(LLMPriceListSpec, {"prices": PRICES["prices"][:1], "aliases": [{"from": "ours", "to": "gpt-4o-mini"}], **shares})
    prices = table([(Identity("list"), spec)])
    gateway = start(inputs(prices=prices))
    asked = [
        ("openai", "gpt-4o-mini", 0.9),
        ("azure", "ours", 0.7),
        ("anthropic", "claude-haiku-4-5", 1),
        ("openai", "m-plain", 1),
        (None, "gpt-4o-mini", 0.9),
    ]
    for index, (provider, model, paid) in enumerate(asked):
        row = prices.find(model, provider and canonical(provider))
        assert row is not None
        gateway.send(span(current(model, 1000, 100, provider=provider)), namespace=f"off-{index}")
        gateway.calls(f"off-{index}", 1)
        cost = paid * (row.input * 1000 + row.output * 100) / 1e6
        assert gateway.value("llm_cost_usd_total", k8s_namespace=f"off-{index}") == pytest.approx(cost, **EXACT)
