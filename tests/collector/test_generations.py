"""Further generations of names, and spans that speak two of them: each call once, at the price of the current names."""

from typing import Any

import pytest
from llmobs.prices.table import table

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway
from tests.collector.spans import current, span

EXACT = {"rel": 0, "abs": 1e-9}
TOKENS = {"input": 600.0, "cache_read": 400.0, "output": 50.0, "reasoning": 150.0}


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    return start(inputs())


def cost(model: str, provider: str, tokens: dict[str, float]) -> float:
    row = table([]).find(model, provider)
    assert row is not None
    return sum(getattr(row, kind) * count for kind, count in tokens.items()) / 1e6


def ai_sdk(operation: str, provider: str = "openai.responses", **more: Any) -> dict[str, Any]:
    """A span of the AI SDK: what is said of the call under its own names and under those until 1.36."""
    usage = {"inputTokens": 1000, "outputTokens": 200, "cachedInputTokens": 400, "reasoningTokens": 150}
    own = {"ai.operationId": operation, "ai.model.id": "gpt-4o", "ai.model.provider": provider}
    return {**own, **{f"ai.usage.{name}": value for name, value in usage.items()}, **more}


OLDER = {"gen_ai.system": "openai.responses", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000}
DETAILS = {"gen_ai.usage.details.cache_read_tokens": 400, "gen_ai.usage.details.reasoning_tokens": 150}
INFERENCE = {
    "openinference.span.kind": "LLM",
    "llm.system": "anthropic",
    "llm.model_name": "claude-haiku-4-5",
    "llm.token_count.prompt": 77,
    "llm.token_count.completion": 7,
}
LLMETRY = {
    "llm.request.type": "completion",
    "gen_ai.usage.prompt_tokens": 5,
    "gen_ai.usage.completion_tokens": 5,
    "gen_ai.system": "cohere",
}
PARTS = {"gen_ai__usage__cache_read__input_tokens": 400, "gen_ai__usage__reasoning__output_tokens": 150}
BOTH = current("gpt-4o", 1000, 200, **PARTS)

CALLS: dict[str, dict[str, Any]] = {
    "ai-sdk-5": ai_sdk("ai.generateText.doGenerate", **OLDER, **{"gen_ai.usage.output_tokens": 200}),
    "ai-sdk-own-names": ai_sdk("ai.streamText.doStream"),
    "ai-sdk-object": ai_sdk("ai.streamObject.doStream"),
    "pydantic-ai": {**current("gpt-4o", 1000, 200), **DETAILS},
    "two-openinference": {**BOTH, **INFERENCE},
    "two-openllmetry": {**BOTH, **LLMETRY},
    "three": {**BOTH, **INFERENCE, **LLMETRY, **ai_sdk("ai.embed.doEmbed", provider="cohere.chat", **{"ai.model.id": "other"})},
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_counts_once_whatever_names_it_bears(gateway: Gateway, name: str) -> None:
    gateway.send(span(CALLS[name]), namespace=name)
    gateway.calls(name, 1)

    [(labels, value)] = gateway.samples("llm_calls_total", k8s_namespace=name)
    assert value == 1
    assert (labels["provider"], labels["model"], labels["operation"], labels["priced"]) == ("openai", "gpt-4o", "chat", "priced")
    counted = {labels["token_type"]: value for labels, value in gateway.samples("llm_tokens_total", k8s_namespace=name)}
    assert counted == TOKENS
    assert gateway.value("llm_cost_usd_total", k8s_namespace=name) == pytest.approx(cost("gpt-4o", "openai", TOKENS), **EXACT)


def test_what_wraps_a_call_of_the_ai_sdk_is_no_call(gateway: Gateway) -> None:
    embed = {"ai.operationId": "ai.embedMany.doEmbed", "ai.model.id": "text-embedding-3-small", "ai.model.provider": "openai.embedding"}
    gateway.send(
        *(span(ai_sdk(name)) for name in ("ai.generateText", "ai.streamText", "ai.embed", "ai.generateObject")),
        span({"ai.operationId": "ai.toolCall", "ai.toolCall.name": "search", "ai.toolCall.args": "{}"}),
        span({**embed, "ai.usage.tokens": 500}),
        span(ai_sdk("ai.streamText.doStream", **{"ai.response.msToFirstChunk": 250.5})),
        namespace="ai-sdk",
    )
    gateway.calls("ai-sdk", 2)

    embedded = {"input": 500.0}
    expected = cost("gpt-4o", "openai", TOKENS) + cost("text-embedding-3-small", "openai", embedded)
    assert gateway.value("llm_calls_total", k8s_namespace="ai-sdk") == 2
    assert gateway.value("llm_cost_usd_total", k8s_namespace="ai-sdk") == pytest.approx(expected, **EXACT)
    assert gateway.value("llm_time_to_first_token_seconds_sum", k8s_namespace="ai-sdk") == pytest.approx(0.2505, **EXACT)


def test_cache_writes_as_strands_says_them(gateway: Gateway) -> None:
    said = {"gen_ai.usage.cache_read_input_tokens": 400, "gen_ai.usage.cache_write_input_tokens": 100}
    gateway.send(span({**current("claude-sonnet-4-5", 1000, 10, provider="anthropic"), **said}), namespace="strands")
    gateway.calls("strands", 1)

    counted = {"input": 500.0, "cache_read": 400.0, "cache_write": 100.0, "output": 10.0}
    tokens = {labels["token_type"]: value for labels, value in gateway.samples("llm_tokens_total", k8s_namespace="strands")}
    assert tokens == counted
    expected = cost("claude-sonnet-4-5", "anthropic", counted)
    assert gateway.value("llm_cost_usd_total", k8s_namespace="strands") == pytest.approx(expected, **EXACT)


@pytest.mark.parametrize("hostile", [{}, {"gen_ai.usage.output_tokens": "20"}, {"gen_ai.usage.reasoning.output_tokens": [15]}], ids=str)
def test_an_interaction_is_a_call_of_a_model(gateway: Gateway, hostile: dict[str, Any]) -> None:
    """Its instrumentation has a word of its own for it, and its thoughts stand beside the output."""
    namespace = f"interactions-{len(str(hostile))}"
    parts = {"gen_ai__usage__cache_read__input_tokens": 40, "gen_ai__usage__reasoning__output_tokens": 15}
    said = current("gemini-2.5-flash", 100, 20, provider="gemini", gen_ai__operation__name="interactions.create", **parts)
    gateway.send(span({**said, **hostile}), span(said), namespace=namespace)
    gateway.calls(namespace, 2)

    labels = {"k8s_namespace": namespace, "operation": "generate_content"}
    assert gateway.value("llm_calls_total", **labels) == 2
    if not hostile:
        counted = {"input": 60.0, "cache_read": 40.0, "output": 20.0, "reasoning": 15.0}
        tokens = {told["token_type"]: value for told, value in gateway.samples("llm_tokens_total", k8s_namespace=namespace)}
        assert tokens == {kind: 2 * count for kind, count in counted.items()}
        assert gateway.value("llm_cost_usd_total", k8s_namespace=namespace) == pytest.approx(
            2 * cost("gemini-2.5-flash", "google", counted), **EXACT
        )
