"""Numbers of cards are told from all others by their check digit, exactly as a program would that can count."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llmobs.plan.collector import cards

from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import Gateway
from tests.collector.spans import current, span
from tests.collector.test_oldest import RELEASE, oldest  # noqa: F401
from tests.fakes.otlp import OTLPReceiver

VALID = (
    *("4111111111111111", "5500005555555559", "5555555555554444", "2223003122003222", "378282246310005", "30569309025904"),
    *("6011111111111117", "3530111333300000", "4222222222222", "6304000000000000", "6212345678901232", "6205500000000000004"),
)

KEPT = {
    "a wrong check digit": "4111111111111112, 4111 1111 1111 1112 and 4111-1111-1111-1112",
    "two digits changed over": "5505005555555559",
    "amex with a wrong digit": "3782 822463 10006",
    "no beginning of a card": "1111 1111 1111 1117 and 9111111111111111",
    "responses": "chatcmpl-4111111111111111x msg_4111111111111111 resp_4111111111111111 gen-1763712000-411111111111111x",
    "a uuid": "550e8400-e29b-41d4-a716-446655440000",
    "nanoseconds": "1790000000000000000 1795171200123456789 1763712000000000004",
    "milliseconds and microseconds": "1790000000000 1763712000003 1763712000000002",
    "a moment": "2026-11-22T02:10:31.411111Z, 20261122021031 and 2026-11-22 02:10:31",
    "orders": "order 4012888888881882, 45123456789013, #300000000000000",
    "shares": "0.4111111111111111 and 0.5500005555555559, [0.378282246310005]",
    "twenty digits": "41111111111111111111 and 411111111111111111111111111111",
    "a number and a figure": "4111111111111112 200 OK, 4111111111111112 0.5",
    "two numbers in a row": "4111111111111112 4111111111111113 1790000000000",
}

MASKED = {
    "together": ("4111111111111111", "[card]"),
    "parted": ("pay with 4111 1111 1111 1111.", "pay with [card]."),
    "hyphens": ("4111-1111-1111-1111!", "[card]!"),
    "no-break spaces": ("4111\u00a01111\u00a01111\u00a01111", "[card]"),
    "two in a line": ("4111111111111111 5500 0055 5555 5559", "[card] [card]"),
    "one of two": ("4111111111111111, 4111111111111112", "[card], 4111111111111112"),
    "with its date": ("4111 1111 1111 1111 12/26", "[card]/26"),
    "with its code": ("4111111111111111 123", "[card] 123"),
    "after a number": ("3 x 12 4111 1111 1111 1111", "3 x 12 [card]"),
    "in a longer row": ("4321 4111 1111 1111 1111", "[card] 1111"),
    "a list item": ("1.4111111111111111", "1.[card]"),
    "a number in JSON": ('{"n":4111111111111111}', '{"n":[card]}'),
    "behind a break in JSON": (
        r"{\"said\":\"my card\n4111 1111 1111 1111\u00e44111111111111111\"}",
        r"{\"said\":\"my card\n[card]\u00e4[card]\"}",
    ),
    "forged marks": ("\x1cm\x1cs1t\x1c;4111111111111111\x1c. and 4111\x1c111111111111", "ms1t;[card]. and [card]"),
    "at the ends of lines": ("a\n4111111111111111\n\n4111111111111111", "a\n[card]\n\n[card]"),
}

# what follows is written apart from what is tested: the words of docs/privacy.md
GAP = "[ \u00a0\u2009\u3000-]"
LIKE_A_CARD = re.compile(rf"\b0\.\d{{13,}}|\b(?:2[2-7]|[3-6]\d)(?:\d{{11,17}}\b|(?:{GAP}?\d){{11,17}}\b)", re.ASCII)


def luhn(digits: str) -> bool:
    values = [int(item) for item in reversed(digits)]
    return sum(values[0::2] + [sum(divmod(2 * value, 10)) for value in values[1::2]]) % 10 == 0


def alone(text: str, found: re.Match[str]) -> bool:
    """Whether nothing but this number can be meant: it ends there, and no part of it is as long as a number of a card."""
    groups = [len(item) for item in re.split(GAP, found[0])]
    goes_on = re.match(rf"{GAP}\d", text[found.end() :])
    return len(groups) == 1 or (sum(groups) <= 16 and min(groups[0], groups[-1]) >= 4 and not goes_on)


def masked(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        if found[0].startswith("0.") or (alone(text, found) and not luhn(re.sub(GAP, "", found[0]))):
            return found[0]
        return "[card]"

    return LIKE_A_CARD.sub(one, text)


@pytest.fixture(scope="module", params=["newest", "oldest"])
def gateway(request: pytest.FixtureRequest, otelcol: str, tmp_path_factory: Any, kept: OTLPReceiver) -> Iterator[Gateway]:
    """Releases of the collector."""
    spec = {"content": {"capture": "Masked", "mask": ["CreditCard"]}, "backends": sent_to(kept)}
    old = request.param == "oldest"
    given = inputs({"a/p": spec}, fleet=FULL, settings=RELEASE if old else {})
    with Gateway(request.getfixturevalue("oldest") if old else otelcol, tmp_path_factory.mktemp("gateway"), given) as made:
        yield made


def through(gateway: Gateway, kept: OTLPReceiver, *texts: str) -> list[str]:
    """What becomes of the texts, each of which is an attribute of one span."""
    kept.spans.clear()
    said = {f"gen_ai.prompt.{number}.content": text for number, text in enumerate(texts)}
    gateway.send(span({**current("gpt-4o", 10, 1), **said}), namespace="a")
    assert kept.wait(lambda receiver: len(receiver.spans) == 1)
    seen = kept.spans[0].attributes
    return [seen[name] for name in said]


def test_numbers_of_cards_are_masked(gateway: Gateway, kept: OTLPReceiver) -> None:
    for number in VALID:
        assert luhn(number)
    assert through(gateway, kept, *VALID) == ["[card]"] * len(VALID)
    assert dict(zip(MASKED, through(gateway, kept, *(said for said, _ in MASKED.values())), strict=True)) == {
        name: left for name, (_, left) in MASKED.items()
    }


def test_other_numbers_stay(gateway: Gateway, kept: OTLPReceiver) -> None:
    beside = "4111111111111111"  # the check is not spared where one of the texts holds a card
    assert dict(zip(KEPT, through(gateway, kept, *KEPT.values(), beside), strict=False)) == KEPT


def test_each_digit_of_each_length_counts(gateway: Gateway, kept: OTLPReceiver) -> None:
    """One digit changed, or two neighbours changed over, is another number."""
    for number in VALID:
        changed = [number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :] for place in range(2, len(number))]
        assert not any(map(luhn, changed))
        assert through(gateway, kept, *changed) == changed


digits = st.text("0123456789", min_size=1, max_size=20)
groups = st.lists(st.text("0123456789", min_size=1, max_size=6), min_size=1, max_size=9)
gaps = st.sampled_from([" ", "-", "\u00a0", "\u3000", "  ", "/", ".", ", ", "\n", "x", ""])
sizes = st.sampled_from([(4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4), (6, 13), (2, 5, 5, 5), (1,) * 19])
written = st.tuples(st.sampled_from(VALID), sizes, gaps)


def _grouped(given: tuple[str, tuple[int, ...], str]) -> str:
    number, sizes, gap = given
    starts = [sum(sizes[:place]) for place in range(len(sizes))]
    return gap.join(part for part in (number[at : at + size] for at, size in zip(starts, sizes, strict=True)) if part)


def _nearly(given: tuple[str, int, str]) -> str:
    number, place, digit = given
    return number[: place % len(number)] + digit + number[place % len(number) + 1 :]


pieces = st.one_of(
    st.sampled_from(VALID),
    written.map(_grouped),
    st.tuples(st.one_of(st.sampled_from(VALID), written.map(_grouped)), st.integers(0, 30), st.sampled_from("0123456789 -")).map(_nearly),
    digits,
    st.tuples(groups, gaps).map(lambda item: item[1].join(item[0])),
    st.text(max_size=4).filter(lambda text: "\\" not in text and cards.MARK not in text),
    st.sampled_from(["0.", "12/26", "_", "\u00e4", "card: ", "t", ";", ".", "ms"]),
)
texts = st.lists(st.one_of(pieces, gaps), min_size=1, max_size=8).map("".join)


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(said=st.lists(texts, min_size=60, max_size=60))
def test_what_is_masked_is_what_a_program_finds(gateway: Gateway, kept: OTLPReceiver, said: list[str]) -> None:
    left = through(gateway, kept, *said)

    assert [item for item in zip(said, left, map(masked, said), strict=True) if item[1] != item[2]] == []


def test_a_long_row_of_digits_and_a_text_that_is_cut(gateway: Gateway, kept: OTLPReceiver) -> None:
    lines = ["4111 1111 1111 1111 " * 200, "4111111111111112," * 230, "7" * 4000, "4 " * 2000]
    cut = "x " * 2040 + "4111111111111111 and more"
    left = through(gateway, kept, *lines, cut, json.dumps(lines[0][:4000]))

    assert left[:4] == [masked(item) for item in lines]
    assert left[4] == "x " * 2040 + "[card]"
    assert left[5] == '"' + masked(lines[0][:4000]) + '"'
