"""The names of attributes that leave while content may not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from llmobs.catalogue import generations, metadata
from llmobs.plan.collector import privacy


@pytest.mark.parametrize("name", metadata.known())
def test_a_known_name_is_a_plain_name_that_gives_no_secret_away(name: str) -> None:
    """A pattern among them would be looked up as a name, and its attributes dropped."""
    assert re.fullmatch(r"[A-Za-z0-9_.]+", name)
    assert not re.search(metadata.SECRETS, name)
    assert not re.search(metadata.ADDRESSES, name)


def test_nothing_that_only_the_gateway_writes_is_known() -> None:
    assert {name for name in metadata.known() if re.search(metadata.RESERVED, name)} == set(metadata.INPUTS)


def test_what_is_read_to_understand_a_span_is_known() -> None:
    """Content goes first: what is not known by then is not seen by the steps behind."""
    read = {generations.REQUEST_MODEL, generations.RESPONSE_MODEL, generations.INPUT, generations.AGENT, "error.type"}
    for item in generations.generations():
        read |= {*item.marks, *item.operations, *(rename.old for rename in item.renames)}

    assert read <= set(metadata.known())


def test_known_names_never_need_the_slow_patterns() -> None:
    """Two patterns take them out of the rest; else each would be searched for words of text, and for nothing."""
    patterns = (privacy.namespaces(), privacy.general())
    assert [name for name in metadata.known() if not any(re.search(pattern, name) for pattern in patterns)] == []


WORDS = st.sampled_from([*metadata.TEXT, *metadata.SECRET_WORDS, "my", "own", "Prompt", "API_KEY", "x"])


@given(st.lists(st.tuples(WORDS, st.sampled_from([".", "_", "-", "", "\n"])), min_size=1, max_size=4))
def test_the_pattern_of_text_and_secrets_is_that_of_both(found: list[tuple[str, str]]) -> None:
    name = "".join(word + separator for word, separator in found)
    # Go's $ is the end, Python's also stands before a last line feed
    text, secret, both = (pattern.replace("$", r"\Z") for pattern in (privacy.text(), metadata.SECRETS, privacy.text_or_secret()))
    assert bool(re.search(both, name)) == bool(re.search(text, name) or re.search(secret, name))


def test_the_pattern_of_known_names_matches_them_whole() -> None:
    assert re.search(privacy.known(), "gen_ai.request.model")
    assert not re.search(privacy.known(), "gen_ai.request.models")
    assert not re.search(privacy.known(), "gen_aixrequest.model")
