"""Prices of an LLMPriceList for service tiers and long contexts, as the real collector applies them."""

from typing import Any

import pytest
from llmobs.api.effective import Identity
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec, ServiceTier
from llmobs.kit.decode import decode
from llmobs.prices.rates import TIERS
from llmobs.prices.table import table

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway
from tests.collector.spans import current, span

EXACT = {"rel": 0, "abs": 1e-9}
ABOVE = 2000
PRICE: dict[str, Any] = {
    "model": "m-tiers",
    "inputPerMillion": 10,
    "outputPerMillion": 20,
    "cachedInputPerMillion": 1,
    "longContextAbove": ABOVE,
    "tiers": [
        {"tier": "Batch", "inputPerMillion": 5, "outputPerMillion": 8, "reasoningPerMillion": 9},
        {"longContext": True, "inputPerMillion": 30, "outputPerMillion": 40, "cachedInputPerMillion": 3},
        {"tier": "Priority", "longContext": True, "inputPerMillion": 70, "outputPerMillion": 80},
    ],
}
PLAIN = {"model": "m-flat", "inputPerMillion": 10, "outputPerMillion": 20, "tiers": [{**PRICE["tiers"][0], "tier": "Fast"}]}
TIER = "openai.response.service_tier"

CASES: dict[str, tuple[str, str, tuple[int, int, int, int], tuple[float, float, float, float]]] = {
    # model, tier, tokens (input, cached among them, output, reasoning among them), rates (input, cached, output, reasoning)
    "the-price": ("m-tiers", "", (1000, 100, 50, 10), (10, 1, 20, 20)),
    "standard": ("m-tiers", "default", (1000, 100, 50, 10), (10, 1, 20, 20)),
    "batch": ("m-tiers", "batch", (1000, 100, 50, 10), (5, 1, 8, 9)),
    "no-entry": ("m-tiers", "flex", (1000, 100, 50, 10), (10, 1, 20, 20)),
    "at-the-bound": ("m-tiers", "", (ABOVE, 100, 50, 10), (10, 1, 20, 20)),
    "long": ("m-tiers", "", (ABOVE + 1, 100, 50, 10), (30, 3, 40, 40)),
    "long-and-of-a-tier": ("m-tiers", "priority", (ABOVE + 1, 100, 50, 10), (70, 1, 80, 80)),
    "long-and-of-a-tier-without-one": ("m-tiers", "batch", (ABOVE + 1, 100, 50, 10), (30, 3, 40, 40)),
    "no-bound": ("m-flat", "", (90_000, 100, 50, 10), (10, 10, 20, 20)),
    "fast": ("m-flat", "fast", (90_000, 100, 50, 10), (5, 5, 8, 9)),
    "alias": ("m-alias", "batch", (1000, 100, 50, 10), (5, 1, 8, 9)),
    "decorated": ("openai/m-tiers-2026-01-01", "batch", (1000, 100, 50, 10), (5, 1, 8, 9)),
}


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    listed = {"prices": [PRICE, PLAIN], "aliases": [{"from": "m-alias", "to": "m-tiers"}], "defaultDiscount": 0.5}
    return start(inputs(prices=table([(Identity("list"), decode(LLMPriceListSpec, listed))])))


@pytest.mark.parametrize("case", CASES)
def test_a_call_costs_what_its_circumstances_cost(gateway: Gateway, case: str) -> None:
    model, tier, (given, cached, made, thought), rates = CASES[case]
    parts = {
        "gen_ai.usage.cache_read.input_tokens": cached,
        "gen_ai.usage.reasoning.output_tokens": thought,
        **({TIER: tier} if tier else {}),
    }
    gateway.send(span({**current(model, given, made), **parts}), namespace=case)
    gateway.calls(case, 1)

    counts = (given - cached, cached, made - thought, thought)
    expected = sum(count * rate for count, rate in zip(counts, rates, strict=True)) / 1e6
    assert gateway.value("llm_cost_usd_total", k8s_namespace=case) == pytest.approx(expected, **EXACT)


def test_the_tiers_are_those_that_the_gateway_tells_apart() -> None:
    assert {item.value.lower() for item in ServiceTier if item is not ServiceTier.STANDARD} == set(TIERS)
