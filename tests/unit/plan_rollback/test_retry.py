"""When what waited for our image is tried again, and what never is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from llmobs.api.v1alpha1.injection import Rollback
from llmobs.plan.retry import PAUSES, TRIAL, Signs, Wait, again, lifted, wait
from llmobs.plan.rollback import Observed, waiting

BEGUN = datetime(2026, 11, 21, 10, tzinfo=UTC)
IMAGES = ("example.com/python:1",)
NOTHING = Signs({}, {})
STUCK = Observed("a", injected=True, kept_out=True, waits=True, images=IMAGES, up=200)


def after(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ([STUCK], IMAGES),
        ([STUCK, Observed("old", injected=False, ready=True)], IMAGES),
        ([STUCK, Observed("b", injected=True, restarts=3)], ()),
        ([Observed("a", injected=True, kept_out=True, waits=True, images=IMAGES, up=200, restarts=3)], ()),
        ([Observed("a", injected=True, kept_out=True, images=IMAGES, up=200)], ()),
        ([Observed("a", injected=True, restarts=3)], ()),
    ],
    ids=["it waits", "beside older ones", "another crash-loops", "it crash-loops too", "it waits for something else", "it crash-loops"],
)
def test_what_was_waited_for(pods: list[Observed], expected: tuple[str, ...]) -> None:
    assert waiting(Rollback(), pods) == expected


def test_it_is_tried_after_growing_pauses_and_then_no_more() -> None:
    found, moments = again(None, IMAGES, BEGUN), []
    while found.next is not None:
        assert not lifted(found, NOTHING, found.next - timedelta(seconds=1), keeps_pods=True)
        assert lifted(found, NOTHING, found.next, keeps_pods=True)
        moments.append((found.next - found.since).total_seconds())
        found = again(found, IMAGES, found.next)
    assert moments == list(PAUSES) == sorted(PAUSES)
    assert not lifted(found, Signs({IMAGES: after(10**6)}, {}), after(10**6), keeps_pods=True), (
        "not by a sign either: it was wrong so often"
    )
    assert again(found, IMAGES, found.since + timedelta(days=2)).times == 1


def test_a_pod_that_has_the_image_since_is_a_sign_for_every_kind() -> None:
    found = again(None, IMAGES, BEGUN)
    for had, expected in ((after(-1), False), (after(5), True)):
        for keeps_pods in (True, False):
            assert lifted(found, Signs({IMAGES: had}, {}), after(6), keeps_pods=keeps_pods) is expected
    assert not lifted(found, Signs({("another",): after(5)}, {}), after(6), keeps_pods=True)


def test_without_a_sign_one_tries_for_all_and_none_that_would_lose_a_pod() -> None:
    found, late = again(None, IMAGES, BEGUN), after(10_000)
    assert not lifted(found, NOTHING, late, keeps_pods=False)
    assert not lifted(found, Signs({}, {IMAGES: late - TRIAL / 2}), late, keeps_pods=True)
    assert lifted(found, Signs({}, {IMAGES: late - TRIAL}), late, keeps_pods=True)
    assert lifted(found, Signs({}, {("another",): late}), late, keeps_pods=True)


def test_an_annotation_is_read_as_it_was_written() -> None:
    found = Wait(IMAGES, BEGUN, 3)
    assert wait(str(found)) == found


TIMES = ("0", "-1", "null", "1e400", '"x"')
DATES = ("0001-01-01T00:00:00+23:00", "9999-12-31T23:00:00Z", "x")


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "{", "[]", "3", "null", '{"images": []}', "[" * 100_000),
        *(f'{{"images": ["i"], "since": "2026-01-01T00:00:00Z", "times": {times}}}' for times in TIMES),
        *(f'{{"images": ["i"], "since": "{since}", "times": 1}}' for since in DATES),
        '{"images": ["i"], "since": 5, "times": 1}',
        '{"images": 5, "since": "2026-01-01T00:00:00Z", "times": 1}',
    ],
    ids=lambda value: str(value)[-60:],
)
def test_what_is_no_such_annotation_is_for_a_person(value: str | None) -> None:
    assert wait(value) is None
