"""Every place where content hides, at every level of capture: what may not leave is nowhere at the exit."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.collector.conftest import FULL, inputs, sent_to
from tests.collector.gateway import HASH_KEY, Gateway, until
from tests.collector.places import Place, Where, places, planted
from tests.collector.spans import current, pairs, span
from tests.fakes.otlp import OTLPReceiver

EVERY = tuple(places())
LEVELS = ("none", "hash", "masked", "full")

PRIVATE = {
    "mail": "Ada.Lovelace+{0}@mail{0}.example.org",
    "phone": "+49 170 55{0:03}123",
    "national": "(555) {0:03} 4567",
    "card": "4111 1111 1{0:03} 111{1}",
    "card without spaces": "5500005555{0:03}55{2}",
    "address": "198.51.{0}.7",
    "longer address": "2001:db8::{0:x}:1",
    "own": "S-{0:06}",
}
SPOKEN = "kept{0}words"


def private(number: int) -> dict[str, str]:
    """What is to be masked in that place."""
    last = (_last(f"411111111{number:03}111"), _last(f"5500005555{number:03}55"))
    return {name: one.format(number, *last) for name, one in PRIVATE.items()}


def _last(digits: str) -> int:
    """The digit that makes it the number of a card."""
    values = [int(item) for item in reversed(digits)]
    return -sum([sum(divmod(2 * value, 10)) for value in values[0::2]] + values[1::2]) % 10


def text(number: int) -> str:
    """What is planted: things to mask, and words to keep. Each place has its own."""
    return f"{SPOKEN.format(number)} said {', '.join(private(number).values())} again"


def held(place: Place, said: str, shape: int) -> str:
    """The text that is hashed: what stands there, a list or a map as the collector writes it."""
    parts = planted(place, said, shape)
    if place.where in {Where.SPAN_NAME, Where.KEY}:
        return said
    if place.where is Where.STATUS:
        return str(parts["error"])
    [found] = parts["events"][0][1].values() if "events" in parts and parts["events"][0][1] else parts.get("attributes", {"": ""}).values()
    return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"), sort_keys=True)


def summed(said: str) -> str:
    """The HMAC of a text, as it leaves."""
    return hmac.new(HASH_KEY.encode(), said.encode(), hashlib.sha256).hexdigest()


@pytest.fixture(scope="module")
def exits(start: Any, kept: OTLPReceiver) -> dict[str, str]:
    """Level -> everything that left of one span for each place."""
    to = {"backends": sent_to(kept)}
    own = {"maskPatterns": [{"name": "staff", "pattern": "S-[0-9]{6}"}]}
    levels = {"none": {}, "hash": {"capture": "Hash"}, "masked": {"capture": "Masked", **own}, "full": {"capture": "Full"}}
    gateway = start(inputs({f"{name}/only": {**to, "content": content} for name, content in levels.items()}, fleet=FULL))
    return {level: _sent(gateway, kept, level) for level in LEVELS}


def _sent(gateway: Gateway, kept: OTLPReceiver, level: str) -> str:
    kept.spans.clear()
    kept.raw = b""
    for number, place in enumerate(EVERY):
        parts = planted(place, text(number), number)
        events = [{"name": name, "timeUnixNano": "1", "attributes": pairs(found)} for name, found in parts.get("events", [])]
        attributes = {**current("gpt-4o", 10, 1), **parts.get("attributes", {})}
        made = span(attributes, error=parts.get("error", ""), events=events)
        made |= {"name": parts["name"]} if "name" in parts else {}
        gateway.send(made, namespace=level, resource=parts.get("resource"), **parts.get("scope", {}))
    assert until(lambda: len(kept.spans) == len(EVERY)), len(kept.spans)
    return kept.raw.decode()


@pytest.mark.parametrize("place", EVERY, ids=str)
def test_with_none_nothing_of_it_leaves(exits: dict[str, str], place: Place) -> None:
    number = EVERY.index(place)

    assert SPOKEN.format(number) not in exits["none"]
    assert [name for name, one in private(number).items() if one in exits["none"]] == []


@pytest.mark.parametrize("place", EVERY, ids=str)
def test_hashed_the_sum_leaves_and_nothing_of_the_text(exits: dict[str, str], place: Place) -> None:
    number = EVERY.index(place)

    assert SPOKEN.format(number) not in exits["hash"]
    assert [name for name, one in private(number).items() if one in exits["hash"]] == []
    assert (summed(held(place, text(number), number)) in exits["hash"]) == (not place.secret and not place.dropped)


@pytest.mark.parametrize("place", EVERY, ids=str)
def test_masked_the_words_leave_without_what_is_private(exits: dict[str, str], place: Place) -> None:
    number = EVERY.index(place)

    assert [name for name, one in private(number).items() if one in exits["masked"]] == []
    assert (SPOKEN.format(number) in exits["masked"]) == (not place.secret and not place.dropped)


@pytest.mark.parametrize("place", EVERY, ids=str)
def test_full_everything_but_credentials_leaves(exits: dict[str, str], place: Place) -> None:
    assert (SPOKEN.format(EVERY.index(place)) in exits["full"]) == (not place.secret)


def test_every_part_of_a_span_is_in_the_register() -> None:
    assert {place.where for place in EVERY} == set(Where)
    assert len(set(EVERY)) == len(EVERY)
