"""What is known of a text before a mask is tried on it."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llmobs.plan.collector import masks

PATTERNS = sorted(masks.HINTED)

# what Go's character classes mean, as far as it takes to find texts; both read digits and words as ASCII
CLASSES = {r"\p{Zs}": " \u00a0\u2009\u3000", r"\p{L}": "A-Za-z\u00e4\u4e2d", r"\p{N}": "0-9\u0663"}


def python(pattern: str) -> re.Pattern[str]:
    for name, characters in CLASSES.items():
        pattern = re.sub(r"(\[[^\]]*)?" + re.escape(name), lambda m, c=characters: f"{m[1]}{c}" if m[1] else f"[{c}]", pattern)
    return re.compile(pattern, re.ASCII)


def test_every_pattern_of_ours_has_a_hint() -> None:
    assert set(masks.HINTED) == {pattern for patterns in masks.PATTERNS.values() for pattern in patterns}
    assert set(masks.HINTED.values()) == set(masks.HINTS)


@settings(max_examples=300, deadline=None)
@given(found=st.data())
@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_a_pattern_matches_always_holds_its_hint(pattern: str, found: st.DataObject) -> None:
    text = found.draw(st.from_regex(python(pattern), fullmatch=True))
    around = found.draw(st.text(max_size=5))
    whole = json.dumps({"a.1.b": f"{around}{text}{around}"}, ensure_ascii=False)
    assert python(masks.HINTS[masks.HINTED[pattern]]).search(whole), whole
