"""Values as OTTL and the collector read them back."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmobs.plan.collector.ottl import Place, assign, group, literal, lookup, merge, replace


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3.0"),
        (0.0, "0.0"),
        (3e-06, "0.000003"),
        (1e-12, "0.000000000001"),
        (2.5, "2.5"),
        (1e6, "1000000.0"),
        (1e22, "10000000000000000000000.0"),
    ],
)
def test_numbers_have_a_point_and_no_exponent(value: float, text: str) -> None:
    assert literal(value) == text


@given(st.floats(min_value=0, max_value=1e9))
def test_numbers_read_back_equal(value: float) -> None:
    assert float(literal(value)) == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_text_reads_back_equal(value: str) -> None:
    assert json.loads(literal(value)) == value
    assert "\n" not in literal(value)


def test_maps_nest() -> None:
    assert literal({"a": {"b": 1, "c": 'q"\\'}}) == '{"a":{"b":1.0,"c":"q\\"\\\\"}}'


def test_lists_hold_anything_and_only_places_in_them_are_whole_numbers() -> None:
    assert literal([]) == "[]"
    assert literal(["a", 1, Place(1), {"b": [2]}]) == '["a",1.0,1,{"b":[2.0]}]'


def test_statements() -> None:
    assert lookup({"a": 1}, "k") == 'Coalesce([{"a":1.0}])[k]'
    assert lookup(["a", "b"], "k") == 'Coalesce([["a","b"]])[k]'
    assert merge("m", {"a": "b"}) == 'merge_maps(m, {"a":"b"}, "update")'
    assert merge("m", {"a": "b"}, "c", "d") == 'merge_maps(m, {"a":"b"}, "update") where c and d'
    assert assign("x", "y") == "set(x, y)"
    assert assign("x", "y", "a", "b") == "set(x, y) where a and b"
    assert replace("x", r"^(a)-\d$", r"\1") == 'replace_pattern(x, "^(a)-\\\\d$", "$1")'
    assert group("span", ["s"]) == {"context": "span", "statements": ["s"]}
    assert group("span", ["s"], conditions=["c"]) == {"context": "span", "statements": ["s"], "conditions": ["c"]}
