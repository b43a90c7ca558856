"""Runs of agents as the runtime sums them up: counted, priced from the one table, and never added to the money of calls."""

from typing import Any

import pytest
from llmobs.api.effective import Identity
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.catalogue import metrics
from llmobs.kit.decode import decode
from llmobs.prices.providers import canonical
from llmobs.prices.table import PriceTable, table

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, span

EXACT = {"rel": 0, "abs": 1e-9}
PRICES = {
    "prices": [
        {"model": "m-agreed", "inputPerMillion": 3, "outputPerMillion": 15, "cachedInputPerMillion": 0.3, "cacheWritePerMillion": 3.75},
        {"model": "m-thinking", "inputPerMillion": 1, "outputPerMillion": 4, "reasoningPerMillion": 6},
    ],
    "aliases": [{"from": "my-deployment", "to": "gpt-4o"}],
    "defaultDiscount": 0.1,
    "discounts": [{"provider": "azure", "discount": 0.3}],
}
TOKENS = ("input", "cache_read", "cache_write", "output", "reasoning")


@pytest.fixture(scope="module")
def prices() -> PriceTable:
    return table([(Identity("list"), decode(LLMPriceListSpec, PRICES))])


@pytest.fixture(scope="module")
def gateway(start: Any, prices: PriceTable) -> Gateway:
    policies = {
        "strict/p": {"agents": {"maxToolRepeats": 1, "maxRunCostUSD": 0.002, "maxSteps": 7}},
        "loose/p": {"agents": {"maxToolRepeats": 10}},
    }
    return start(inputs(policies, prices=prices))


def run(models: Any, tokens: Any = (), *, steps: Any = 2, loop: tuple[str, Any] = ("", 0), **more: Any) -> dict[str, Any]:
    """The span of a run; ``tokens`` for each model: (input, cache read, cache write, output, reasoning)."""
    lists = {f"llmobs.run.{name}_tokens": [each[place] for each in tokens] for place, name in enumerate(TOKENS)}
    named = {"llmobs.run.loop.tool": loop[0]} if loop[0] else {}
    summary = {"llmobs.run.steps": steps, "llmobs.run.tool_calls": 3, "llmobs.run.loop.count": loop[1], **named, **lists}
    asked = {} if models is None else {"llmobs.run.models": models}
    return {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", **summary, **asked, **more}


def sent(gateway: Gateway, namespace: str, *spans: dict[str, Any]) -> None:
    """Send the spans and wait until they are counted."""
    end = f"{namespace}-end"
    gateway.send(*spans, namespace=namespace)
    gateway.send(span({"llmobs.feedback.kind": "end"}), namespace=end)
    assert until(lambda: gateway.value(metrics.FEEDBACK, k8s_namespace=end) == 1)


def histogram(gateway: Gateway, name: str, namespace: str) -> tuple[float, float]:
    return gateway.value(f"{name}_count", k8s_namespace=namespace), gateway.value(f"{name}_sum", k8s_namespace=namespace)


MODELS: dict[str, list[tuple[str, tuple[int, int, int, int, int]]]] = {
    "one": [("openai/gpt-4o", (1000, 0, 0, 100, 0))],
    "dated": [("openai/gpt-4o-2024-11-20", (1000, 0, 0, 100, 0))],
    "decorated": [("aws.bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", (1000, 0, 0, 100, 0))],
    "routed": [("openrouter/openai/gpt-4o", (1000, 0, 0, 100, 0))],
    "no-provider": [("/gpt-4o", (1000, 0, 0, 100, 0))],
    "agreed": [("acme/m-agreed", (120, 40, 30, 10, 0))],
    "cached-apart": [("acme/m-agreed", (50, 400, 30, 10, 0))],
    "thinking": [("acme/M-Thinking", (10, 0, 0, 1000, 900))],
    "discounted": [("azure/my-deployment", (1000, 0, 0, 100, 0))],
    "several": [("openai/gpt-4o", (1000, 0, 0, 100, 0)), ("acme/m-agreed", (120, 40, 30, 10, 0)), ("openai/gpt-4o-mini", (9, 0, 0, 9, 9))],
    "six": [
        *((f"openai/gpt-4o-{kind}", (100, 0, 0, 10, 0)) for kind in ("mini", "latest", "2024-05-13", "2024-08-06", "2024-11-20")),
        ("openai/text-embedding-3-small", (100, 0, 0, 0, 0)),
    ],
}


def cost(prices: PriceTable, name: str, counts: tuple[int, int, int, int, int]) -> float:
    """What the table says, as for a single call."""
    provider, _, model = name.partition("/")
    row = prices.find(model, canonical(provider))
    assert row is not None
    whole, read, write, out, thought = counts
    plain, said = (whole - read - write if whole >= read + write else whole), out - thought
    money = plain * row.input + read * row.cache_read + write * row.cache_write + said * row.output + thought * row.reasoning
    paid = 1 if row.agreed else 1 - prices.discounts.get(canonical(provider), prices.discounts[""])
    return paid * money / 1e6


@pytest.mark.parametrize("case", MODELS)
def test_a_run_costs_what_its_calls_cost(gateway: Gateway, prices: PriceTable, case: str) -> None:
    used = MODELS[case]
    sent(gateway, f"run-{case}", span(run([name for name, _ in used], [counts for _, counts in used])))

    expected = sum(cost(prices, name, counts) for name, counts in used)
    assert expected > 0
    assert histogram(gateway, metrics.RUN_COST, f"run-{case}") == (1, pytest.approx(expected, **EXACT))


def test_a_run_and_a_call_of_the_same_tokens_cost_the_same(gateway: Gateway) -> None:
    """The names and prices of the two are found by different statements."""
    counts = (1000, 200, 100, 100, 50)
    names = ("gpt-4o", "claude-sonnet-4-5-20250929", "gemini-2.5-pro", "mistral-large-latest", "o3-mini", "text-embedding-3-small")
    providers = ("openai", "anthropic", "gcp.gemini", "mistral_ai", "azure", "openai")
    for index, (provider, name) in enumerate(zip(providers, names, strict=True)):
        extra = {
            "gen_ai.usage.cache_read.input_tokens": counts[1],
            "gen_ai.usage.cache_write.input_tokens": counts[2],
            "gen_ai.usage.reasoning.output_tokens": counts[4],
        }
        call = {**current(name, counts[0], counts[3], provider=provider), **extra}
        sent(gateway, f"pair-{index}", span(call), span(run([f"{provider}/{name}"], [counts])))

        calls = gateway.value("llm_cost_usd_total", k8s_namespace=f"pair-{index}")
        assert calls > 0
        assert histogram(gateway, metrics.RUN_COST, f"pair-{index}") == (1, pytest.approx(calls, **EXACT))


def test_runs_are_counted_and_their_money_is_not_the_calls(gateway: Gateway) -> None:
    spans = [run(["openai/gpt-4o"], [(1000, 0, 0, 100, 0)], steps=4), run([], steps=0)]
    failed = span(run(["openai/gpt-4o"], [(1000, 0, 0, 100, 0)], steps=9), error="broken")
    sent(gateway, "counted", *map(span, spans), failed, span({"gen_ai.operation.name": "invoke_agent"}))

    runs = {(labels["agent"], labels["outcome"]): value for labels, value in gateway.samples(metrics.RUNS, k8s_namespace="counted")}
    assert runs == {("planner", "ok"): 2, ("planner", "error"): 1}
    assert histogram(gateway, metrics.RUN_STEPS, "counted") == (3, 13)
    assert gateway.value(f"{metrics.RUN_STEPS}_bucket", k8s_namespace="counted", le="7") == 2
    assert gateway.value(f"{metrics.RUN_COST}_count", k8s_namespace="counted") == 3
    assert gateway.value("llm_cost_usd_total", k8s_namespace="counted") == 0
    assert gateway.value("llm_calls_total", k8s_namespace="counted") == 0
    assert gateway.value("llm_tokens_total", k8s_namespace="counted") == 0


ONE = [(1000, 0, 0, 100, 0)]
UNPRICED: dict[str, dict[str, Any]] = {
    "unlisted": run(["openai/nobody-lists"], ONE),
    "one-unlisted": run(["openai/gpt-4o", "openai/nobody-lists"], ONE * 2),
    "too-many": run(["openai/gpt-4o"] * 7, ONE * 7),
    "no-list": run("openai/gpt-4o", ONE),
    "no-models": run(None),
    "too-few-counts": run(["openai/gpt-4o", "openai/gpt-4o-mini"], ONE),
    "negative": run(["openai/gpt-4o"], [(-1000, 0, 0, 100, 0)]),
    "huge": run(["openai/gpt-4o"], [(2**62, 0, 0, 100, 0)]),
    "words": run(["openai/gpt-4o"], [("NaN", 0, 0, 100, 0)]),
    "maps": run([{"a": 1}], [({"a": 1}, 0, 0, 100, 0)]),
}


@pytest.mark.parametrize("case", UNPRICED)
def test_a_run_that_cannot_be_priced_as_a_whole_has_no_price(gateway: Gateway, case: str) -> None:
    sent(gateway, f"unpriced-{case}", span(UNPRICED[case]))

    assert gateway.value(metrics.RUNS, k8s_namespace=f"unpriced-{case}") == 1
    assert histogram(gateway, metrics.RUN_COST, f"unpriced-{case}") == (0, 0)
    assert histogram(gateway, metrics.RUN_STEPS, f"unpriced-{case}") == (1, 2)


@pytest.mark.parametrize(("namespace", "most"), [("anybody", 3), ("strict", 1), ("loose", 10)])
def test_a_loop_is_what_the_policy_calls_one(gateway: Gateway, namespace: str, most: int) -> None:
    counts = [most - 1, most, most + 1, most + 1, 1000]
    hostile = [run([], loop=("bad", value)) for value in (-1, "NaN", "many", [9], None)]
    sent(gateway, namespace, *(span(run([], loop=("search", count))) for count in counts), *map(span, hostile))

    loops = {(labels["agent"], labels["tool"]): value for labels, value in gateway.samples(metrics.LOOPS, k8s_namespace=namespace)}
    assert loops == {("planner", "search"): 3}


def test_nonsense_steps_spoil_nothing(gateway: Gateway) -> None:
    sent(gateway, "steps", *(span(run([], steps=value)) for value in (-1, "NaN", "Inf", 2**62, "abc", [1], 5)))

    assert histogram(gateway, metrics.RUN_STEPS, "steps") == (1, 5)


def test_limits_are_bucket_bounds(gateway: Gateway) -> None:
    sent(gateway, "strict", span(run(["openai/gpt-4o"], ONE, steps=7)), span(run(["openai/gpt-4o"], ONE, steps=8)))

    assert gateway.samples(f"{metrics.RUN_COST}_bucket", k8s_namespace="strict", le="0.002")
    assert gateway.samples(f"{metrics.RUN_STEPS}_bucket", k8s_namespace="strict", le="7")
