"""Whatever a client writes into attributes: nothing stops, good calls are counted exactly, and nothing passes for ours."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from llmobs.api.effective import Identity
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.catalogue import metadata, metrics
from llmobs.catalogue.generations import OPERATION, generations
from llmobs.kit.decode import decode
from llmobs.plan import collector
from llmobs.plan.collector.identity import LONGEST
from llmobs.prices.table import table
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import PEER, Gateway, get
from tests.collector.spans import START, current, pairs, span
from tests.collector.test_cost import PRICES, old, openinference, openllmetry
from tests.collector.test_generations import ai_sdk
from tests.fakes.otlp import OTLPReceiver

COST, EXACT = 0.0035, {"rel": 0, "abs": 1e-9}

CALLS: dict[str, dict[str, Any]] = {
    "current": current("m-plain", 1000, 100),
    "until-1-36": old("m-plain", 1000, 100),
    "openllmetry": openllmetry("m-plain", 1000, 100),
    "openinference": openinference("m-plain", 1000, 100),
    "ai-sdk": {
        **ai_sdk("ai.generateText.doGenerate", **{"ai.model.id": "m-plain"}),
        "ai.usage.outputTokens": 100,
        "ai.usage.cachedInputTokens": 0,
        "ai.usage.reasoningTokens": 0,
    },
    "pydantic-ai": {**current("m-plain", 1000, 100), "gen_ai.usage.details.cache_read_tokens": 0},
}
"""One good call of each generation, all at the same price."""

DECIDE = {OPERATION, *(name for item in generations() for name in item.operations)}
"""What says whether a span is a call at all."""

VALUES: dict[str, dict[str, Any]] = {
    **{f"text {text!r}": {"stringValue": text} for text in ("", "12", "-5", "NaN", "Inf", "1e999", "0x1F", '"}{\n\\$1', "\x1f|\x00")},
    "long": {"stringValue": "l" * 4096},  # one request holds it in place of every attribute
    **{f"integer {number}": {"intValue": str(number)} for number in (-1, 0, 2**63 - 1, -(2**63))},
    **{f"double {number}": {"doubleValue": number} for number in ("NaN", "Infinity", "-Infinity", 1e308, -1e308, 5e-324, -0.0)},
    "bool": {"boolValue": True},
    "bytes": {"bytesValue": "/wD+"},
    "list": {"arrayValue": {"values": [{"intValue": "-3"}, {"stringValue": "chat"}, {}, {"doubleValue": "NaN"}]}},
    "no list": {"arrayValue": {}},
    "map": {"kvlistValue": {"values": [{"key": "", "value": {"doubleValue": "NaN"}}]}},
    "no map": {"kvlistValue": {}},
    "nothing": {},
}
"""Values as OTLP/JSON writes them."""


def read() -> list[str]:
    """Every span attribute that the rendered pipeline looks at."""
    return sorted(set(re.findall(r'span\.attributes\["([^"]+)"\]', "".join(_strings(collector.bare_config(_inputs()))))))


def _strings(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (found for item in value.values() for found in _strings(item))
    elif isinstance(value, list):
        yield from (found for item in value for found in _strings(item))


def _inputs(**more: Any) -> Any:
    return inputs(prices=table([(Identity("list"), decode(LLMPriceListSpec, PRICES))]), **more)


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    made: Gateway = start(_inputs())
    return made


READ = read()


def with_value(attributes: Mapping[str, Any], hostile: Mapping[str, Any]) -> dict[str, Any]:
    """A span whose attributes have these values instead, given as OTLP/JSON; None leaves one out."""
    made = span({key: value for key, value in attributes.items() if key not in hostile})
    made["attributes"] += [{"key": key, "value": value} for key, value in hostile.items() if value is not None]
    return made


def batch(spans: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, Any]:
    """One request with the spans of several namespaces."""
    return {"resourceSpans": [_resource({f"{PEER}k8s.namespace.name": space}, list(own)) for space, own in spans.items()]}


def _resource(attributes: Mapping[str, Any], spans: list[Any]) -> dict[str, Any]:
    return {"resource": {"attributes": pairs(attributes)}, "scopeSpans": [{"scope": {"name": "test"}, "spans": spans}]}


def page(gateway: Gateway) -> list[Sample]:
    """Everything that Prometheus reads."""
    text = get(f"http://127.0.0.1:{gateway.ports['metrics']}/metrics")
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


def total(samples: Iterable[Sample], name: str, **labels: str) -> float:
    """The sum of a series."""
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


WORDS = {"operation": {"chat", "generate_content", "text_completion", "embeddings"}, "outcome": {"ok", "error", "passed", "failed"}}
LABELS = {*metrics.IDENTITY, *WORDS, "provider", "model", "error_type", "priced", "token_type", "agent", "workflow", "le"}
LABELS |= {"tool", "check", "kind", "name"}


def sound(samples: Iterable[Sample]) -> None:
    """Nothing that Prometheus reads is negative, endless or no number; labels are known and short."""
    for sample in samples:
        assert sample.name.startswith("llm_"), sample
        assert 0 <= sample.value < math.inf, sample
        assert set(sample.labels) <= LABELS, sample
        assert all(len(value) <= LONGEST for value in sample.labels.values()), sample
        assert all(sample.labels.get(name) in {*words, None} for name, words in WORDS.items()), sample


def check(gateway: Gateway, sent: Mapping[str, int], good: Iterable[str]) -> list[Sample]:
    """Everything is counted once, the good ones at their price. The last of ``sent`` was sent last; the result is what was read."""
    gateway.calls(*list(sent.items())[-1])
    found = page(gateway)
    sound(found)
    assert {space: total(found, metrics.CALLS, k8s_namespace=space) for space in sent} == sent
    for space in good:
        assert total(found, metrics.CALLS, k8s_namespace=space, priced="priced", outcome="ok", model="m-plain") == sent[space]
        assert total(found, metrics.COST, k8s_namespace=space) == pytest.approx(sent[space] * COST, **EXACT)
        assert total(found, metrics.TOKENS, k8s_namespace=space) == sent[space] * 1100
        assert total(found, f"{metrics.DURATION}_count", k8s_namespace=space) == sent[space]
    return found


def test_every_generation_is_among_them() -> None:
    for item in generations():
        assert any(mark in call for call in CALLS.values() for mark in item.marks), item.marks
    assert {*DECIDE, "gen_ai.usage.input_tokens", "llm.token_count.prompt", "ai.model.id", "error.type"} <= set(READ)


@pytest.mark.parametrize("generation", CALLS)
def test_any_value_in_any_attribute(gateway: Gateway, generation: str) -> None:
    hostile, good, unsure = (f"{word}-{generation}" for word in ("hostile", "good", "unsure"))
    counted = {hostile: 0, good: 0}
    for value in VALUES.values():
        odd = {name: with_value(CALLS[generation], {name: value}) for name in READ}
        calls = [item for name, item in odd.items() if name not in DECIDE]
        gateway.post(batch({good: [span(CALLS[generation])], hostile: calls, unsure: [odd[name] for name in DECIDE]}))
        counted[hostile] += len(calls)
        counted[good] += 1
    found = check(gateway, counted, [good])
    assert total(found, metrics.CALLS, k8s_namespace=unsure) <= len(VALUES) * len(DECIDE)


ANY = st.one_of(
    st.sampled_from(list(VALUES.values())),
    st.none(),
    st.text(max_size=300).map(lambda text: {"stringValue": text.encode(errors="replace").decode()}),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: {"intValue": str(number)}),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: {"doubleValue": number}),
)
SPANS = st.tuples(
    st.sampled_from(list(CALLS)), st.dictionaries(st.sampled_from([name for name in READ if name not in DECIDE]), ANY, min_size=1)
)


def drawn() -> list[list[tuple[str, dict[str, Any]]]]:
    """The same batches in every run."""
    batches = []

    @settings(
        max_examples=60,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
        phases=[Phase.generate],
    )
    @given(st.lists(SPANS, min_size=1, max_size=20))
    def draw(batch: list[tuple[str, dict[str, Any]]]) -> None:
        batches.append(batch)

    draw()
    return batches


def test_any_values_together(gateway: Gateway) -> None:
    batches = drawn()
    for each in batches:
        # nobody but a call's own generation says what it is: what marks the others may be gone
        calls = [with_value({**CALLS[name], OPERATION: "chat"}, values) for name, values in each]
        gateway.post(batch({"drawn": calls, "beside": [span(call) for call in CALLS.values()]}))
    check(gateway, {"drawn": sum(map(len, batches)), "beside": len(batches) * len(CALLS)}, ["beside"])


TIMES = (0, 1, START, START + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1)


def test_no_time_spoils_a_histogram(gateway: Gateway) -> None:
    times = list(itertools.product(TIMES, TIMES))
    odd = [{**span(CALLS["current"], name="c"), "startTimeUnixNano": str(start), "endTimeUnixNano": str(end)} for start, end in times]
    found = {"gen_ai.operation.name": "retrieval"}
    odd += [{**span(found), "startTimeUnixNano": str(start), "endTimeUnixNano": str(end)} for start, end in times]
    gateway.post(batch({"times": odd, "in-time": [span(CALLS["current"])]}))

    found = check(gateway, {"times": len(times), "in-time": 1}, ["in-time"])
    sane = sum((end - start) % 2**64 <= 86_400 * 10**9 for start, end in times)
    assert total(found, f"{metrics.DURATION}_count", k8s_namespace="times") == sane
    assert total(found, f"{metrics.RETRIEVAL_DURATION}_count", k8s_namespace="times") == sane


def test_bytes_that_are_no_text_hide_no_call(gateway: Gateway) -> None:
    broken = "a\udcffb\udcc0"
    odd = [with_value(CALLS["current"], {name: {"stringValue": broken}}) for name in READ if name not in DECIDE]
    request = batch({"no-text": odd, "text": [span(CALLS["current"])]})
    request["resourceSpans"][0]["resource"]["attributes"] += pairs({"service.name": broken, "team": broken})
    gateway.post(request)

    found = check(gateway, {"no-text": len(odd), "text": 1}, ["text"])
    priced = total(found, metrics.CALLS, k8s_namespace="no-text", priced="priced")
    assert total(found, metrics.COST, k8s_namespace="no-text") == pytest.approx(priced * COST, **EXACT)


MARK = "planted-by-a-client"
OURS = re.compile(r"^(llm\.(cost|model|run|tokens?)|llmobs|k8s)(\.|$)")


def ours() -> list[str]:
    """Every name of ours that the rendered pipeline writes or reads anywhere, and some that nobody has heard of."""
    found = {name for text in _strings(collector.bare_config(_inputs())) for name in re.findall(r'"([a-z0-9_.]+)"', text)}
    invented = {"llmobs.new", "llm.cost", "llm.cost.eur", "llm.model.x", "k8s", "k8s.namespace", "k8s.cluster.uid", "llmobs"}
    return sorted({name for name in found if OURS.match(name)} | invented)


@pytest.fixture(scope="module")
def planted(start: Any, kept: OTLPReceiver) -> Gateway:
    to = sent_to(kept)
    specs = {
        "none/p": {"backends": to},
        **{f"{level.lower()}/p": {"backends": to, "content": {"capture": level}} for level in ("Masked", "Full")},
    }
    made: Gateway = start(_inputs(policies=specs, fleet=FULL))
    return made


@pytest.mark.parametrize("space", ["none", "masked", "full"])
@pytest.mark.parametrize("value", [MARK, [MARK], {MARK: MARK}], ids=["text", "list", "map"])
def test_no_name_of_ours_is_a_clients_to_write(planted: Gateway, kept: OTLPReceiver, space: str, value: Any) -> None:
    """In a resource, a scope, a span or an event: it is in no series and leaves to no receiver."""
    kept.spans.clear()
    kept.raw = b""
    names = ours()
    mine = dict.fromkeys(names, value)
    on_spans = {name: item for name, item in mine.items() if name not in metadata.INPUTS}
    events = [{"name": name, "timeUnixNano": "1", "attributes": pairs(mine)} for name in ("exception", "gen_ai.evaluation.result")]
    kinds = [CALLS["current"], {OPERATION: "execute_tool"}, {OPERATION: "retrieval"}, {"http.request.method": "GET"}]
    before = planted.value(metrics.CALLS, k8s_namespace=space)

    sent = [span({**kind, **on_spans}, events=events) for kind in kinds]
    planted.send(*sent, namespace=space, resource=mine, **mine)
    planted.calls(space, int(before) + 1)

    found = page(planted)
    sound(found)
    assert MARK not in str(found)
    assert total(found, metrics.COST, k8s_namespace=space) == pytest.approx((before + 1) * COST, **EXACT)
    assert kept.wait(lambda receiver: len(receiver.spans) >= len(kinds))
    assert MARK.encode() not in kept.raw
    assert b"llmobs." not in kept.raw
    assert all({name for name in item.resource if OURS.match(name)} == {"k8s.namespace.name", "k8s.deployment.name"} for item in kept.spans)
