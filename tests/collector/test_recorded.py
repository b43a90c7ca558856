"""What real instrumentations send, as recorded: exact money by the price library's own calculation, one call, no content.

``python -m tests.recording`` made the files and says how.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from llmobs.catalogue.metrics import TOKEN_TYPES

from examples.chat.fake_llm.server import REPLY
from tests.collector.conftest import inputs, sent_to
from tests.collector.gateway import Gateway, until
from tests.collector.spans import pairs
from tests.fakes import clouds
from tests.fakes.otlp import OTLPReceiver
from tests.recording.calls import QUESTION

Json = dict[str, Any]
RECORDED: dict[tuple[str, str], Json] = {
    (path.stem, name): call
    for path in sorted((Path(__file__).parent / "recorded").glob("*.json"))
    for name, call in json.loads(path.read_text(encoding="utf-8"))["calls"].items()
}
SENT = {key: call for key, call in RECORDED.items() if call["export"].get("resourceSpans")}

NOT_SENT = {("generation-a", "openai-responses"), ("generation-a", "openai-responses-stream")}
"""Calls of which the instrumentation says nothing at all."""

_NO_PARTS = {"cache_read_tokens": 0, "output_reasoning_tokens": 0}
UNTOLD: dict[tuple[str, str], Mapping[str, int]] = {
    **{(family, "anthropic-hour"): {"cache_write_1h_tokens": 0} for family in ("official", "openllmetry", "openinference")},
    **{("generation-a", f"openai-{name}"): _NO_PARTS for name in ("chat", "stream", "priority", "flex")},
    ("openllmetry", "openai-stream"): {"output_reasoning_tokens": 0},
    ("openllmetry", "anthropic-stream"): {"output_tokens": 61},
    ("openllmetry", "langchain-openai"): {"output_reasoning_tokens": 0},
    ("openllmetry", "langchain-anthropic"): {"cache_write_tokens": 0},
}
"""What an instrumentation tells differently from the provider: no gateway can know better."""

TIERLESS = {"openinference"}
"""Families that tell the service tier in the text of requests and answers only."""

DOUBLED = {
    ("openinference", "langchain-openai"),
    ("openinference", "langchain-anthropic"),
    ("openinference", "agents"),
    ("openllmetry", "agents"),
}
"""Calls that two instrumentations tell, a framework's and the client library's."""


def told(key: tuple[str, str]) -> dict[str, int]:
    """The tokens of a call, by the price library's names."""
    return {**RECORDED[key]["bill"]["tokens"], **UNTOLD.get(key, {})}


def cost(key: tuple[str, str]) -> float:
    """What the price library makes of it."""
    bill, tokens = RECORDED[key]["bill"], told(key)
    parts = {name: count for name, count in tokens.items() if count}
    context = {"service_tier": bill["tier"]} if bill["tier"] and key[0] not in TIERLESS else None
    return float(calc_price(Usage(**parts), bill["model"], provider_id=bill["listed"], price_context=context).total_price)


def counted(key: tuple[str, str]) -> dict[str, int]:
    """The tokens of a call, each once, by our names."""
    tokens = told(key)
    read, write, reasoning = (tokens.get(f"{name}_tokens", 0) for name in ("cache_read", "cache_write", "output_reasoning"))
    every = (tokens.get("input_tokens", 0) - read - write, read, write, tokens.get("output_tokens", 0) - reasoning, reasoning)
    return {kind: count for kind, count in zip(TOKEN_TYPES, every, strict=True) if count}


Seen = dict[tuple[str, str], list[tuple[dict[str, str], float]]]
"""Series and namespace -> samples."""


@pytest.fixture(scope="module")
def seen(start: Any, kept: OTLPReceiver) -> Seen:
    """What a gateway makes of every recorded call, each in a namespace of its own."""
    to = sent_to(kept)
    made: Gateway = start(inputs({f"{space(key)}/only": {"backends": to} for key in SENT}))
    for key, call in SENT.items():
        made.post(placed(call["export"], space(key)))
    for key in SENT:
        made.calls(space(key), 1)
    sent = sum(len(scope["spans"]) for call in SENT.values() for item in call["export"]["resourceSpans"] for scope in item["scopeSpans"])
    assert until(lambda: len(kept.spans) >= sent)
    found: Seen = {}
    for name in ("llm_calls_total", "llm_tokens_total", "llm_cost_usd_total"):
        for labels, value in made.samples(name):
            found.setdefault((name, labels["k8s_namespace"]), []).append((labels, value))
    return found


def space(key: tuple[str, str]) -> str:
    return "-".join(key)


def placed(export: Json, namespace: str) -> Json:
    """The request as it comes from a pod of ``namespace``."""
    peer = pairs({"peer.k8s.namespace.name": namespace, "peer.k8s.deployment.name": "app"})
    found = [
        {**item, "resource": {"attributes": [*item.get("resource", {}).get("attributes", []), *peer]}} for item in export["resourceSpans"]
    ]
    return {"resourceSpans": found}


BILLED = sorted(key for key in SENT if RECORDED[key]["bill"]["tokens"])


def test_the_recordings_are_whole() -> None:
    assert len(SENT) > 60
    assert RECORDED.keys() - SENT.keys() == NOT_SENT


@pytest.mark.parametrize("key", sorted(DOUBLED), ids=space)
def test_some_of_the_calls_are_told_by_two(seen: Seen, kept: OTLPReceiver, key: tuple[str, str]) -> None:
    """Both spans are sent on; one bears the cost."""
    told = [
        item.attributes for item in kept.spans if item.resource["k8s.namespace.name"] == space(key) and "llm.cost.priced" in item.attributes
    ]

    assert sorted(item["llm.cost.priced"] for item in told) == ["priced", "wrapper"]
    assert [item["llm.cost.priced"] for item in told if "llm.cost.usd" in item] == ["priced"]


@pytest.mark.parametrize("key", sorted(SENT), ids=space)
def test_each_call_counts_once(seen: Seen, key: tuple[str, str]) -> None:
    refused = not RECORDED[key]["bill"]["tokens"]

    ((labels, value),) = seen["llm_calls_total", space(key)]
    assert value == 1
    assert (labels["priced"], labels["outcome"]) == (("no_usage", "error") if refused else ("priced", "ok"))


@pytest.mark.parametrize("key", BILLED, ids=space)
def test_money_and_tokens_are_the_providers(seen: Seen, key: tuple[str, str]) -> None:
    tokens = {labels["token_type"]: value for labels, value in seen["llm_tokens_total", space(key)] if value}

    assert tokens == counted(key)
    assert [value for _, value in seen["llm_cost_usd_total", space(key)]] == [pytest.approx(cost(key), rel=0, abs=1e-9)]


def test_no_question_and_no_answer_leaves(seen: Seen, kept: OTLPReceiver) -> None:
    raw = kept.raw.decode()

    assert QUESTION in json.dumps(list(SENT.values()))
    assert [text for text in (QUESTION, REPLY.split(",")[0], clouds.REPLY, "refused as requested") if text in raw] == []
