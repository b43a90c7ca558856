"""What is sent on of sampled traces, on the real collector; and that no figure depends on it."""

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tests.collector.conftest import inputs, sent_to
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, span
from tests.fakes.otlp import OTLPReceiver

CHEAP, COSTLY = current("gpt-4o", 10, 1), current("gpt-4o", 1_000_000, 1)  # 2.50 USD
RUN = {"gen_ai.operation.name": "invoke_agent", "llmobs.run.steps": 2, "llmobs.run.tool_calls": 4}
SPENT = {
    "llmobs.run.models": ["openai/gpt-4o"],
    "llmobs.run.input_tokens": [1_000_000],
    **{f"llmobs.run.{kind}_tokens": [0] for kind in ("cache_read", "cache_write", "output", "reasoning")},
}
KEEP = {"keepCostlierThanUSD": 0.5, "keepLongerThan": "30s"}


def impatient(config: dict[str, Any]) -> None:
    config["processors"]["tail_sampling"]["decision_wait"] = "1s"


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> Gateway:
    backends = sent_to(kept)
    asked: Mapping[str, Any] = {
        "share/p": {"ratio": 0.2},
        "reasons/p": {"ratio": 0, **KEEP},
        "strict/p": {"ratio": 0, "keepErrors": False},
        "all/p": {},
    }
    made: Gateway = start(inputs({key: {"sampling": item, "backends": backends} for key, item in asked.items()}), change=impatient)
    return made


def trace(number: int) -> str:
    return f"{random.Random(number).getrandbits(128):032x}"


def arrived(kept: OTLPReceiver, *names: str) -> bool:
    return kept.wait(lambda r: set(names) <= {item.name for item in r.spans})


def test_a_share_of_traces_is_sent_on_and_all_are_counted(gateway: Gateway, kept: OTLPReceiver) -> None:
    ids = [trace(number) for number in range(500)]
    chosen = {item for item in ids if int(item[18:], 16) / 2**56 >= 0.8}  # the spec of consistent probability sampling
    for part in range(0, 500, 100):
        pair = [span(CHEAP, traceId=item, name=name) for item in ids[part : part + 100] for name in ("share", "share-too")]
        gateway.send(*pair, namespace="share")
    gateway.calls("share", 1000)

    assert gateway.value("llm_calls_total", k8s_namespace="share") == 1000
    assert gateway.value("llm_cost_usd_total", k8s_namespace="share") == pytest.approx(1000 * (10 * 2.5 + 10) / 1e6, rel=1e-9)
    assert until(lambda: sum(item.name == "share-too" for item in kept.spans) >= len(chosen))
    for name in ("share", "share-too"):
        assert sorted(item.trace_id for item in kept.spans if item.name == name) == sorted(chosen)
    assert 70 < len(chosen) < 130


def test_what_there_is_a_reason_to_keep_is_kept_with_its_trace(gateway: Gateway, kept: OTLPReceiver) -> None:
    cases = {
        "failed": span(CHEAP, name="failed", traceId=trace(1001), error="boom"),
        "costly": span(COSTLY, name="costly", traceId=trace(1002)),
        "looping": span({**RUN, "llmobs.run.loop.tool": "search", "llmobs.run.loop.count": 4}, name="looping", traceId=trace(1004)),
        "costly-run": span({**RUN, **SPENT}, name="costly-run", traceId=trace(1006)),
        "slow": span(CHEAP, name="slow", traceId=trace(1003), seconds=31),
    }
    gateway.send(span(CHEAP, name="boring", traceId=trace(1000)), namespace="reasons")
    gateway.send(span({**RUN, "llmobs.run.loop.tool": "search", "llmobs.run.loop.count": 3}, name="boring"), namespace="reasons")
    for name, made in cases.items():
        gateway.send(span({}, name=f"{name}-before", traceId=made["traceId"]), made, namespace="reasons")
    assert arrived(kept, *cases, *(f"{name}-before" for name in cases))
    for name, made in cases.items():
        gateway.send(span({}, name=f"{name}-after", traceId=made["traceId"]), namespace="reasons")
    assert arrived(kept, *(f"{name}-after" for name in cases))

    names = [item.name for item in kept.spans]
    assert "boring" not in names
    assert all(names.count(f"{name}{part}") == 1 for name in cases for part in ("", "-before", "-after"))
    assert gateway.value("llm_calls_total", k8s_namespace="reasons") == 4  # neither runs nor what stands around calls


def test_a_reason_that_comes_late_is_kept_though_its_trace_was_left(gateway: Gateway, kept: OTLPReceiver) -> None:
    decided = "otelcol_processor_tail_sampling_global_count_traces_sampled"
    before = gateway.own(decided)
    gateway.send(span({}, name="early", traceId=trace(2000)), namespace="reasons")
    assert until(lambda: gateway.own(decided) > before)
    gateway.send(span(CHEAP, name="late-failure", traceId=trace(2000), error="boom"), namespace="reasons")

    assert arrived(kept, "late-failure")
    assert "early" not in [item.name for item in kept.spans]


def test_errors_are_a_reason_only_where_they_are_asked_for(gateway: Gateway, kept: OTLPReceiver) -> None:
    gateway.send(span(CHEAP, name="strict-failure", error="boom"), namespace="strict")
    gateway.calls("strict", 1)
    gateway.send(span(CHEAP, name="everything"), span({}, name="everything-too"), namespace="all")

    assert arrived(kept, "everything", "everything-too")
    assert "strict-failure" not in [item.name for item in kept.spans]


def test_none_of_our_notes_leave(kept: OTLPReceiver, gateway: Gateway) -> None:
    gateway.send(span(CHEAP, name="noted", error="boom"), namespace="reasons")
    assert arrived(kept, "noted")

    assert [key for item in kept.spans for key in (*item.attributes, *item.resource) if key.startswith("llmobs.")] == []
