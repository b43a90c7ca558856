"""Prompts and answers do not leave the gateway unless the platform and the namespace say so."""

import json
import re
from typing import Any

import pytest
from llmobs.plan.collector import cards
from llmobs.plan.collector.privacy import PROBE

from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import Gateway, until
from tests.collector.places import Where, places
from tests.collector.spans import current, pairs, span
from tests.fakes.otlp import OTLPReceiver

MARK = "the-secret-question"
PROBE_IN_TEXT, MARK_IN_TEXT = (json.dumps(item)[1:-1] for item in (PROBE, cards.MARK))

ATTRIBUTES = tuple(place.name for place in places() if place.where is Where.ATTRIBUTE and not place.secret)
SECRETS = [place.name for place in places() if place.where is Where.ATTRIBUTE and place.secret]

EVENTS = {
    "gen_ai.user.message": ["content", "gen_ai.prompt"],
    "gen_ai.assistant.message": ["content", "tool_calls"],
    "gen_ai.choice": ["message", "gen_ai.completion"],
    "gen_ai.client.inference.operation.details": ["gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"],
    "gen_ai.content.prompt": ["gen_ai.prompt"],
    "llm.content.completion.chunk": ["whatever"],
    "exception": ["exception.message", "exception.stacktrace"],
    "db.query.result": ["db.query.result.document"],
    f"said: {MARK} again": ["n"],
}

KEPT = {
    "gen_ai.conversation.id": "c1",
    "gen_ai.response.id": "r1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.request.temperature": 0.5,
    "server.address": "api.example.com",
    "error.type": "Timeout",
    "my.own.attribute": "mine",
    "user.id": "u1",
    "session.id": "s1",
}


def planted() -> dict[str, Any]:
    """A span with the marker in every place that is known to hold text, as text, list and map."""
    shapes = [MARK, [MARK], {"text": MARK}]
    events = [
        {"name": name, "timeUnixNano": "1", "attributes": pairs(dict.fromkeys(keys, MARK) | {"exception.type": "ValueError"})}
        for name, keys in EVENTS.items()
    ]
    filled = {key: shapes[index % 3] for index, key in enumerate(ATTRIBUTES)}
    called = current("gpt-4o", 10, 1)
    return span({**filled, **dict.fromkeys(SECRETS, "token-" + MARK), **KEPT, **called}, error=f"the model refused: {MARK}", events=events)


@pytest.fixture(scope="module")
def gateway(start: Any, kept: OTLPReceiver) -> Gateway:
    to = sent_to(kept)
    return start(
        inputs(
            {
                "open/only": {"content": {"capture": "Full"}, "backends": to},
                "closed/only": {"backends": to},
                "mixed/open": {"content": {"capture": "Full"}, "backends": to},
                "mixed/closed": {"backends": to},
                "half/only": {"content": {"capture": "Full", "sampleRatio": 0.5}, "backends": to},
                "short/only": {"content": {"capture": "Masked", "maxLength": 40}, "backends": to},
                "long/only": {"content": {"capture": "Masked"}, "backends": to},
                "nameless/only": {"content": {"userIds": "Drop"}, "backends": to},
            },
            fleet=FULL,
        )
    )


def arrived(
    gateway: Gateway, kept: OTLPReceiver, space: str, resource: dict[str, Any] | None = None, workload: str = "app"
) -> tuple[Any, str]:
    """The planted span as it arrives, and everything that arrived with it."""
    kept.spans.clear()
    kept.requests.clear()
    kept.raw = b""
    other = span({"http.request.method": "GET", "question": MARK, "input.value": MARK})
    gateway.send(planted(), other, namespace=space, resource=resource, note=MARK)
    assert kept.wait(lambda receiver: len(receiver.spans) >= 2)
    return next(item for item in kept.spans if "gen_ai.request.model" in item.attributes), kept.raw.decode()


@pytest.mark.parametrize("space", ["closed", "mixed"])
def test_nothing_of_the_content_leaves_by_default(gateway: Gateway, kept: OTLPReceiver, space: str) -> None:
    _, raw = arrived(gateway, kept, space, {"process.command_args": ["ask", MARK], "process.command_line": f"ask {MARK}"})

    assert MARK not in raw


def test_what_is_no_content_stays(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen, _ = arrived(gateway, kept, "closed")

    assert {key: seen.attributes.get(key) for key in KEPT} == KEPT
    assert seen.attributes["gen_ai.usage.input_tokens"] == 10
    assert seen.attributes["llm.cost.usd"] == pytest.approx((10 * 2.5 + 10) / 1e6, abs=1e-12)
    assert seen.attributes["llm.model"] == "gpt-4o"
    assert seen.status == {"code": 2, "message": "[removed]"}
    assert set(seen.events) == {*EVENTS, "[removed]"} - {f"said: {MARK} again"}
    assert seen.resource["service.name"] == "svc"


def test_our_own_notes_end_at_the_gateway(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen, raw = arrived(gateway, kept, "closed")

    assert "llmobs." not in raw
    assert {key for key in seen.attributes if key.startswith("llm.")} == {"llm.cost.usd", "llm.cost.priced", "llm.model"}


def test_everything_is_kept_where_both_say_so(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen, _ = arrived(gateway, kept, "open")

    assert [key for key in ATTRIBUTES if key not in seen.attributes] == []
    assert MARK in seen.status["message"]
    assert set(seen.events) == set(EVENTS)


def test_a_policy_that_captures_is_that_of_its_pods_only(gateway: Gateway, kept: OTLPReceiver) -> None:
    _, captured = arrived(gateway, kept, "mixed", {"peer.llmobs.policy": "mixed/open"})
    _, other = arrived(gateway, kept, "mixed", {"peer.llmobs.policy": "mixed/closed"})
    _, foreign = arrived(gateway, kept, "closed", {"peer.llmobs.policy": "open/only"})

    assert MARK in captured
    assert MARK not in other
    assert MARK not in foreign


@pytest.mark.parametrize(
    ("trace", "captured"),
    [
        ("0" * 18 + "7fffffffffffff", False),
        ("0" * 18 + "80000000000000", True),
        ("f" * 32, True),
        ("f" * 18 + "0" * 14, False),
        ("", False),
    ],
)
def test_a_share_is_chosen_by_the_end_of_the_traces_identifier(gateway: Gateway, kept: OTLPReceiver, trace: str, captured: bool) -> None:
    """As OpenTelemetry's samplers choose; a span without an identifier is of no chosen trace."""
    kept.spans.clear()
    kept.raw = b""
    gateway.send({**planted(), "traceId": trace}, namespace="half")
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)

    assert (MARK in kept.raw.decode()) == captured


def test_texts_are_cut_before_they_are_masked(gateway: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    said = {"input.value": "write to ada@example.org and then " + "\u00e4" * 100, "output.value": {"answer": ["x" * 100]}, "own": "o" * 100}
    gateway.send(span({**current("gpt-4o", 10, 1), **said}, error="y" * 100), namespace="short")
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)
    seen = kept.spans[0]

    assert seen.attributes["input.value"] == "write to [email] and then " + "\u00e4" * 3
    assert seen.attributes["output.value"] == '{"answer":["' + "x" * 28
    assert seen.attributes["own"] == "o" * 100
    assert seen.status["message"] == "y" * 40


STEPS, LONGEST = 20, 4000


@pytest.fixture(scope="module")
def breaking(start: Any, kept: OTLPReceiver) -> Gateway:
    """A namespace for each step of masking, in which that step gets a pattern that only shows to be none when a text comes by."""
    own = [{"name": "staff", "pattern": "S-[0-9]{6}"}]
    content = {"capture": "Masked", "maskPatterns": own}
    spaces = {f"n{step}/p": {"content": {**content, "maxLength": LONGEST + step}, "backends": sent_to(kept)} for step in range(STEPS + 1)}
    return start(inputs(spaces, fleet=FULL), change=_break)


@pytest.mark.parametrize("broken", range(STEPS + 1))
def test_a_step_of_masking_that_fails_drops_the_text(breaking: Gateway, kept: OTLPReceiver, broken: int) -> None:
    """None fails in the namespace after the last step."""
    said = f"{MARK} @ .1.2. :: 1 2 3 4 5 6 7 4111111111111112"  # nothing to mask, but every pattern is tried
    event = {"name": "gen_ai.choice", "timeUnixNano": "1", "attributes": pairs({"message": f"{said} in an event"})}
    kept.spans.clear()
    kept.raw = b""
    breaking.send(span({**current("gpt-4o", 10, 1), "prompt": said}, error=said, events=[event]), namespace=f"n{broken}")
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)

    assert kept.raw.decode().count(MARK) == (3 if broken == STEPS else 0)
    assert (kept.spans[0].status["message"] == "[removed]") == (broken != STEPS)
    assert not any(item in kept.raw.decode() for item in (PROBE_IN_TEXT, MARK_IN_TEXT))


def _break(config: dict[str, Any]) -> None:
    for group in config["processors"]["transform/privacy"]["trace_statements"]:
        statements = group["statements"]
        masking = [place for place, statement in enumerate(statements) if statement.startswith("replace_all_patterns")]
        if not masking:
            continue
        assert len(masking) == STEPS
        [longest] = [int(found[1]) for statement in statements if (found := re.match(r"truncate_all\(.*, ([0-9]+)\)", statement))]
        for place in masking[longest - LONGEST :][:1]:
            target = statements[place].split(",")[0]
            statements[place] = f'{target}, "value", Concat(["(", ""], ""), "x")'


@pytest.mark.parametrize("broken", ["String", "IsMatch"])
def test_what_can_not_be_known_beforehand_is_masked_all_the_same(start: Any, kept: OTLPReceiver, broken: str) -> None:
    def spoil(config: dict[str, Any]) -> None:
        for group in config["processors"]["transform/privacy"]["trace_statements"]:
            notes = [place for place, statement in enumerate(group["statements"]) if re.match(rf"set\([^,]*, {broken}\(", statement)]
            assert bool(notes) == ("conditions" in group and any("replace_all" in statement for statement in group["statements"]))
            for place in notes:
                target = group["statements"][place].split(",")[0]
                group["statements"][place] = f'{target}, IsMatch("", Concat(["(", ""], "")))'

    given = inputs({"a/p": {"content": {"capture": "Masked"}, "backends": sent_to(kept)}}, fleet=FULL)
    gateway = start(given, change=spoil)
    found = "ada@example.org, 192.0.2.17, fe80::1, 4111 1111 1111 1111, +49 170 5550123, 0170/5550123"
    kept.spans.clear()
    gateway.send(span({**current("gpt-4o", 10, 1), "prompt": f"{MARK} {found}", "output.value": MARK}, error=found), namespace="a")
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)

    masked = "[email], [ip], [ip], [card], [phone], [phone]"
    assert kept.spans[0].attributes["prompt"] == f"{MARK} {masked}"
    assert kept.spans[0].status["message"] == masked


def test_identifiers_and_moments_are_not_taken_for_cards_and_telephones(gateway: Gateway, kept: OTLPReceiver) -> None:
    kept.spans.clear()
    said = "chatcmpl-4111111111111111x at 1790000000000000000 or 2026-11-21T10:00:00Z, 4111111111111112, v1.2.3, foo::bar, 12:30:45"
    ids = {"gen_ai.response.id": "4111111111111111", "gen_ai.conversation.id": "+49 170 5550123"}
    gateway.send(span({**current("gpt-4o", 10, 1), "gen_ai.output.messages": said, **ids}), namespace="long")
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)

    assert kept.spans[0].attributes["gen_ai.output.messages"] == said
    assert {key: kept.spans[0].attributes[key] for key in ids} == ids


def test_users_are_left_out_where_the_namespace_says_so(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen, _ = arrived(gateway, kept, "nameless")

    assert not {"user.id", "session.id"} & set(seen.attributes)
    assert seen.attributes["gen_ai.conversation.id"] == "c1"


def test_credentials_never_leave(gateway: Gateway, kept: OTLPReceiver) -> None:
    seen, raw = arrived(gateway, kept, "open")

    assert "token-" + MARK not in raw
    assert not set(SECRETS) & set(seen.attributes)


def test_without_a_policy_nothing_leaves_at_all(gateway: Gateway, kept: OTLPReceiver) -> None:
    kept.raw, before = b"", gateway.own("otelcol_processor_filter_spans_filtered")

    gateway.send(planted(), namespace="nobody")

    gateway.calls("nobody", 1)
    assert until(lambda: gateway.own("otelcol_processor_filter_spans_filtered") == before + 1)
    assert kept.raw == b""


def test_logs_and_metrics_are_not_taken(gateway: Gateway) -> None:
    for path in ("/v1/logs", "/v1/metrics"):
        with pytest.raises(OSError, match="404"):
            gateway.post({}, path)
