"""What is remembered of objects that were found in place, when something changes before, while and after they are looked at."""

from typing import cast

from llmobs.handlers.reader import View
from llmobs.handlers.settled import Settled


def view() -> View:
    return cast("View", object())


def test_what_was_found_in_place_is_known_for_that_view_alone() -> None:
    settled, seen = Settled(), view()
    settled.begin("u")
    settled.end("u", seen, ())
    assert settled.at("u", seen) == ()
    assert settled.at("u", view()) is None
    assert settled.at("other", seen) is None


def test_a_change_while_the_objects_are_looked_at_is_not_lost() -> None:
    settled, seen = Settled(), view()
    settled.begin("u")
    settled.forget("u")
    settled.end("u", seen, ())
    assert settled.at("u", seen) is None
    settled.begin("u")
    settled.clear()
    settled.end("u", seen, ())
    assert settled.at("u", seen) is None


def test_a_change_afterwards_is_a_reason_to_look() -> None:
    settled, seen = Settled(), view()
    for reason in (lambda: settled.forget("u"), settled.clear):
        settled.begin("u")
        settled.end("u", seen, ())
        reason()
        assert settled.at("u", seen) is None
