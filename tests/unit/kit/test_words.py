"""Words in any case, as a pattern without a flag."""

import re

from hypothesis import given
from hypothesis import strategies as st
from llmobs.catalogue import metadata
from llmobs.kit.words import any_case

WORDS = (*metadata.TEXT, "api-key", "api_key", "apikey", "a", "ab", "abc")
FLAGGED = re.compile(f"(?i)({'|'.join(WORDS)})")
SPELLED = re.compile(any_case(WORDS))

FORMS = {letter: letter + letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"} | {"k": "kK\u212a", "s": "sS\u017f"}


@given(word=st.sampled_from(WORDS), found=st.data())
def test_every_form_of_a_word_is_found(word: str, found: st.DataObject) -> None:
    written = "".join(found.draw(st.sampled_from(FORMS.get(letter, letter))) for letter in word)
    assert FLAGGED.fullmatch(written)
    assert SPELLED.fullmatch(written)


@given(st.lists(st.sampled_from([*WORDS, "x", "_", "-", "s", "K", "\u017f"]), max_size=3).map("".join))
def test_nothing_else_is_found(written: str) -> None:
    assert bool(SPELLED.fullmatch(written)) == bool(FLAGGED.fullmatch(written))


def test_no_beginning_is_written_twice() -> None:
    assert any_case(["text", "texts", "tool"]) == "[tT](?:[eE][xX][tT](?:[sS\u017f])?|[oO][oO][lL])"
    assert any_case(["a"]) == "[aA]"
