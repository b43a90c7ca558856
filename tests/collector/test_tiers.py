"""Every listed model, with counts and circumstances drawn at random: what the collector says is what the price library calculates."""

import datetime as dt
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices import types as listed
from genai_prices.data import providers
from llmobs.catalogue import generations as names
from llmobs.prices import rates
from llmobs.prices.providers import PROVIDERS, Provider

from tests.collector.conftest import inputs, sent_to
from tests.collector.spans import current, span
from tests.fakes.otlp import OTLPReceiver

DAY = dt.datetime(2027, 1, 15, tzinfo=dt.UTC)
TIERS = ("openai.response.service_tier", "gen_ai.openai.response.service_tier", "anthropic.response.service_tier")


@dataclass(frozen=True)
class Asked:
    """One call, and what the library is to make of it."""

    provider: str
    source: str
    model: str
    tokens: dict[str, int]
    tier: str
    at: dt.datetime

    def cost(self) -> float:
        context = rates.TIERS.get(self.tier)
        found = calc_price(
            Usage(**{**NONE, **self.tokens}), self.model, provider_id=self.source, genai_request_timestamp=self.at, price_context=context
        )
        return float(found.total_price)

    def span(self, number: int) -> dict[str, Any]:
        """The call as it is told; its number is the response's id."""
        told = {attribute: self.tokens[name] for name, attribute in TOLD.items() if self.tokens.get(name)}
        tier = {TIERS[number % len(TIERS)]: self.tier} if self.tier else {}
        attributes = {**current(self.model, provider=self.provider), **told, **tier, "gen_ai.response.id": str(number)}
        start = int(self.at.timestamp()) * 10**9
        return span(attributes, startTimeUnixNano=str(start), endTimeUnixNano=str(start + 10**9))


NOT_SOLD = "gcp.gemini", "claude"
"""Google's list is one for Gemini and for Vertex; only the latter sells Claude."""

NONE = {
    key: 0
    for kind in ("audio", "image")
    for key in (
        *(f"cache_{kind}_{cached}_tokens" for cached in ("read", "write", "write_5m", "write_1h")),
        f"output_{kind}_reasoning_tokens",
    )
}
"""Said to the library outright, which refuses to guess whether cached tokens are those of sounds."""

TOLD = {
    "input_tokens": names.INPUT,
    "output_tokens": names.OUTPUT,
    "cache_read_tokens": names.CACHE_READ,
    "cache_write_tokens": names.CACHE_WRITE,
    "cache_write_1h_tokens": names.CACHE_WRITE_1H,
    "output_reasoning_tokens": names.REASONING,
    "input_audio_tokens": names.AUDIO_INPUT,
    "output_audio_tokens": names.AUDIO_OUTPUT,
    "input_image_tokens": names.IMAGE_INPUT,
    "output_image_tokens": names.IMAGE_OUTPUT,
    "cache_audio_read_tokens": names.AUDIO_CACHED,
}


def drawn(pick: random.Random, row: Any) -> dict[str, int]:
    """Counts whose parts fit into their whole; input on both sides of every bound."""
    above = max((item.above for item in row.variants), default=0)
    given = pick.choice([pick.randint(1, 5_000), pick.randint(int(above), int(above) * 2) if above else pick.randint(1, 50_000)])
    read, written = pick.randint(0, given // 3), pick.randint(0, given // 3)
    made = pick.randint(1, 9_000)
    found = {"input_tokens": given, "output_tokens": made, "cache_read_tokens": read, "cache_write_tokens": written}
    rest, known = given - read - written, dict(row.more)
    if pick.random() < 0.5:
        found |= {"cache_write_1h_tokens": pick.randint(0, written), "output_reasoning_tokens": pick.randint(0, made // 3)}
    if known.keys() & {"ai", "ao", "gi", "go"}:
        found |= {"input_audio_tokens": pick.randint(0, rest // 3), "output_audio_tokens": pick.randint(0, made // 3)}
        found |= {"input_image_tokens": pick.randint(0, rest // 3), "output_image_tokens": pick.randint(0, made // 3)}
    if "ar" in known and "ai" in known:
        cached = pick.randint(0, read // 2)
        found |= {"cache_audio_read_tokens": cached, "input_audio_tokens": found["input_audio_tokens"] + cached}
    return {name: count for name, count in found.items() if count}


def asked(source: listed.Provider, provider: Provider, pick: random.Random) -> Iterator[Asked]:
    for model in source.models:
        row, name = rates.row(model, None), model.id.lower()
        if row is None or source.find_model(name) is not model or name.endswith("-") or (provider.name, name[:6]) == NOT_SOLD:
            continue
        tiers = {item.tier for item in row.variants if item.tier in rates.TIERS}
        for tier in ["", "default", *sorted(tiers)]:
            at = DAY + dt.timedelta(minutes=pick.randrange(1440))
            yield Asked(provider.name, source.id, name, drawn(pick, row), tier, at)


def every() -> list[Asked]:
    pick = random.Random(20270115)
    known = {item.id: item for item in providers}
    return [item for provider in PROVIDERS if provider.listed for item in asked(known[provider.listed], provider, pick)]


def test_every_model_costs_what_the_price_library_calculates(start: Any, kept: OTLPReceiver) -> None:
    calls = every()
    to = sent_to(kept)
    gateway = start(inputs({"all/only": {"backends": to}}))

    for first in range(0, len(calls), 500):
        gateway.send(*(call.span(first + index) for index, call in enumerate(calls[first : first + 500])), namespace="all")
    assert kept.wait(lambda receiver: len(receiver.spans) >= len(calls))

    costs = {int(item.attributes["gen_ai.response.id"]): item.attributes.get("llm.cost.usd") for item in kept.spans}
    wrong = [(call, call.cost(), costs[index]) for index, call in enumerate(calls) if costs[index] != pytest.approx(call.cost(), abs=1e-9)]
    assert len(calls) > 1500
    assert wrong == []
