"""Reading Prometheus: what it says, and that nothing it does is an exception."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from llmobs.api.conditions import Reason, Status
from llmobs.cluster.spend import ASKED, read, spend
from llmobs.plan.findings import Spend

from tests.fakes.loopback import Answering, Loopback

AT = "2026-11-21T00:00:00Z"


class Answer:
    """What the server answers to everything."""

    status, body = 200, ""


@pytest.fixture
def prometheus() -> Iterator[tuple[str, type[Answer]]]:
    class Handler(Answering):
        def do_POST(self) -> None:
            self.body()
            self.answer(Answer.body.encode(), status=Answer.status)

    with Loopback(Handler) as server:
        yield server.url, Answer


def ask(url: str) -> Spend:
    return asyncio.run(read(url, at=AT))


def test_without_an_address_nothing_is_asked_and_that_is_said() -> None:
    found = ask("")
    assert found.problem is not None
    assert (found.problem.status, found.problem.reason) == (Status.UNKNOWN, Reason.PROMETHEUS_NOT_CONFIGURED)


def test_answers_become_figures(prometheus: tuple[str, type[Answer]]) -> None:
    url, answer = prometheus
    labels = {"namespace": "n", "policy": "p", "budget": "b"}
    result = [{"metric": labels, "value": [0, "4.5"]}, {"metric": {**labels, "namespace": "odd"}, "value": [0, "NaN"]}]
    answer.status, answer.body = 200, json.dumps({"status": "success", "data": {"result": result}})
    found = ask(url)
    assert found.problem is None
    assert found.month_to_date == {"n": 4.5}
    assert found.budgets == {("n", "p", "b"): 4.5}
    assert (found.ages, found.alive, found.at) == ({"n": 4.5}, True, AT)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<html>"),
        (200, "{}"),
        (200, '{"status": "success", "data": {"result": [{}]}}'),
        (400, '{"status": "error", "error": "bad query"}'),
        (503, ""),
    ],
)
def test_a_bad_answer_is_a_finding(prometheus: tuple[str, type[Answer]], status: int, body: str) -> None:
    url, answer = prometheus
    answer.status, answer.body = status, body
    found = ask(url)
    assert found.problem is not None
    assert (found.problem.reason, url in found.problem.message) == (Reason.PROMETHEUS_UNREACHABLE, True)


def test_nobody_there_is_a_finding() -> None:
    found = ask("http://127.0.0.1:9")
    assert found.problem is not None
    assert found.problem.reason is Reason.PROMETHEUS_UNREACHABLE


def test_a_gateway_that_is_not_scraped_is_known() -> None:
    assert spend([], [], [], [], at=AT).alive is False
    assert len(ASKED) == 4
