"""Texts and users as HMAC-SHA256: equal where they were equal, with their length, and nothing of them besides."""

import hashlib
import hmac
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from llmobs.plan import collector
from llmobs.plan.collector import hashing

from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import HASH_KEY, Gateway
from tests.collector.spans import current, pairs, span
from tests.fakes.otlp import OTLPReceiver, Span

ASKED, ANSWERED = "gen_ai.input.messages", "gen_ai.output.messages"
HALF, CHOSEN = "0" * 18 + "7fffffffffffff", "0" * 18 + "80000000000000"
USERS = {"user.id": "ada", "session.id": "s-1", "user.email": "ada@example.org"}


def summed(said: str) -> str:
    """The HMAC of a text under the key of the tests, by Python's own."""
    return hmac.new(HASH_KEY.encode(), said.encode(), hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> Gateway:
    to = {"backends": sent_to(kept)}
    contents = {
        "texts": {"capture": "Hash", "maxLength": 16},
        "half": {"capture": "Hash", "sampleRatio": 0.5},
        "users": {"userIds": "Hash"},
        "both": {"capture": "Hash", "userIds": "Hash"},
        "open": {"capture": "Full", "userIds": "Hash"},
        "masked": {"capture": "Masked"},
        "nameless": {"capture": "Hash", "userIds": "Drop"},
    }
    specs = {f"{name}/only": {**to, "content": content} for name, content in contents.items()}
    specs["mixed/hash"] = {**to, "content": {"capture": "Hash", "userIds": "Hash"}}
    specs["mixed/masked"] = {**to, "content": {"capture": "Masked"}}
    made: Gateway = start(inputs(specs, fleet=FULL))
    return made


def sent(gateway: Gateway, kept: OTLPReceiver, namespace: str, attributes: dict[str, Any], **more: Any) -> Span:
    kept.spans.clear()
    kept.raw = b""
    trace = {"traceId": more.pop("trace")} if "trace" in more else {}
    gateway.send({**span({**current("gpt-4o", 10, 1), **attributes}, **more), **trace}, namespace=namespace)
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)
    return kept.spans[0]


def test_a_text_is_hashed_whole_and_its_length_stands_beside_it(gateway: Gateway, kept: OTLPReceiver) -> None:
    """Lines are not told apart, nothing is cut before, and a length counts bytes."""
    texts = {ASKED: "one line\nand another\n\n", ANSWERED: "\u00e4" * 5000, "prompt": "x", "question": ""}
    seen = sent(gateway, kept, "texts", texts, error="no:\nsuch model").attributes
    status = kept.spans[0].status["message"]

    assert {name: seen[name] for name in texts} == {**{name: summed(said) for name, said in texts.items()}, "question": ""}
    assert {name: seen[f"{name}.length"] for name in texts} == {ASKED: 22, ANSWERED: 10000, "prompt": 1, "question": 0}
    assert (status, seen["otel.status_description.length"]) == (summed("no:\nsuch model"), 14)


def test_equal_texts_are_equal_in_every_span_and_place(gateway: Gateway, kept: OTLPReceiver) -> None:
    first = sent(gateway, kept, "texts", {ASKED: "the same"}).attributes
    event = {"name": "gen_ai.choice", "timeUnixNano": "1", "attributes": pairs({"message": "the same"})}
    other = sent(gateway, kept, "both", {"prompt": "the same"}, events=[event]).attributes

    assert first[ASKED] == other["prompt"] == summed("the same")
    assert kept.raw.decode().count(summed("the same")) == 2


def test_numbers_and_maps_are_hashed_as_text(gateway: Gateway, kept: OTLPReceiver) -> None:
    values = {ASKED: [{"role": "user", "n": 1}], ANSWERED: {"b": True, "a": "x"}, "llm.invocation_parameters": 0.5}
    seen = sent(gateway, kept, "texts", values).attributes

    assert seen[ASKED] == summed('[{"n":1,"role":"user"}]')
    assert seen[ANSWERED] == summed('{"a":"x","b":true}')
    assert seen["llm.invocation_parameters"] == summed("0.5")


def test_of_very_many_texts_the_first_leave(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen = sent(gateway, kept, "texts", {f"llm.prompts.{number}.content": f"said {number}" for number in range(200)}).attributes
    found = {name: value for name, value in seen.items() if name.startswith("llm.prompts.") and not name.endswith(".length")}

    assert len(found) == hashing.MOST["span"]
    assert all(value == summed(f"said {name.split('.')[2]}") for name, value in found.items())
    assert "said" not in kept.raw.decode()


@pytest.mark.parametrize(("trace", "chosen"), [(HALF, False), (CHOSEN, True), ("", False)])
def test_of_traces_that_are_not_chosen_nothing_leaves(gateway: Gateway, kept: OTLPReceiver, trace: str, chosen: bool) -> None:
    seen = sent(gateway, kept, "half", {ASKED: "a question"}, trace=trace).attributes

    assert (ASKED in seen, f"{ASKED}.length" in seen) == (chosen, chosen)


@pytest.mark.parametrize("namespace", ["users", "both", "open"])
def test_users_are_hashed_at_every_level(gateway: Gateway, kept: OTLPReceiver, namespace: str) -> None:
    event = {"name": "said", "timeUnixNano": "1", "attributes": pairs({"user.id": "ada-in-event"})}
    seen = sent(gateway, kept, namespace, USERS, events=[event]).attributes

    assert {name: seen[name] for name in USERS} == {name: summed(value) for name, value in USERS.items()}
    assert "ada-in-event" not in kept.raw.decode()
    assert summed("ada-in-event") in kept.raw.decode()


def test_users_that_are_dropped_are_not_hashed_either(gateway: Gateway, kept: OTLPReceiver) -> None:
    event = {"name": "said", "timeUnixNano": "1", "attributes": pairs({"user.id": "ada-in-event"})}
    seen = sent(gateway, kept, "nameless", USERS, events=[event]).attributes

    assert not set(USERS) & set(seen)
    assert "ada" not in kept.raw.decode()
    assert summed("ada-in-event") not in kept.raw.decode()


def test_of_several_policies_the_least_counts(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen = sent(gateway, kept, "mixed", {ASKED: "a question", **USERS}).attributes

    assert (seen[ASKED], seen["user.id"]) == (summed("a question"), summed("ada"))


@pytest.mark.parametrize("namespace", ["texts", "users", "open", "masked", "nobody-asked"])
def test_a_client_cannot_mark_names_of_ours(gateway: Gateway, kept: OTLPReceiver, namespace: str) -> None:
    marked = {f"{hashing.MARK}{name}": "forged" for name in ("llm.cost.usd", "llmobs.who", "k8s.namespace.name", hashing.MARK, "")}
    event = {"name": "said", "timeUnixNano": "1", "attributes": pairs(marked)}
    kept.spans.clear()
    gateway.send(span({**current("gpt-4o", 10, 1), **marked}, events=[event], error="x"), namespace=namespace)
    gateway.send(span(current("gpt-4o", 10, 1), name="last"), namespace="texts")
    assert kept.wait(lambda receiver: any(item.name == "last" for item in receiver.spans))

    assert all("forged" not in str(item) for item in kept.spans)
    assert not {"llmobs.who", "k8s.namespace.name", ""} & {name for item in kept.spans for name in item.attributes}
    assert all(item.attributes.get("llm.cost.usd") != summed("forged") for item in kept.spans)


def test_without_a_key_the_collector_refuses_to_start(otelcol: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(collector.text(inputs({"a/b": {"content": {"capture": "Hash"}}}, fleet=FULL)))
    environment = {key: value for key, value in os.environ.items() if key != hashing.KEY}
    done = subprocess.run([otelcol, "validate", "--config", str(path)], capture_output=True, text=True, check=False, env=environment)

    assert done.returncode != 0
    assert "hmac_key must not be empty" in done.stderr


@pytest.mark.parametrize("content", [{}, {"capture": "Masked"}, {"capture": "Hash", "sampleRatio": 0}])
def test_without_hashes_no_key_is_needed(content: dict[str, Any]) -> None:
    text = collector.text(inputs({"a/b": {"content": content}}, fleet=FULL))

    assert hashing.KEY not in text
