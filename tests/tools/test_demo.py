"""The demo's own arithmetic and its screen, without a cluster."""

from __future__ import annotations

from decimal import Decimal

import pytest
from demo import expected, screen

STATS = {"calls": {"gpt-4o": 1}, "tokens": {"gpt-4o": {"input": 600, "cache_read": 400, "output": 200}}}


def test_a_call_costs_what_it_costs_by_hand() -> None:
    assert expected.cost(STATS) == {"gpt-4o": Decimal("0.004")}  # (600 x 2.50 + 400 x 1.25 + 200 x 10.00) / 1,000,000
    assert (expected.tokens(STATS), expected.calls(STATS)) == (1200, 1)


def test_a_difference_shows_only_what_changed(capsys: pytest.CaptureFixture[str]) -> None:
    screen.difference({"a": 1, "b": 2}, {"a": 1, "b": 3})

    assert capsys.readouterr().out.split() == ["-b:", "2", "+b:", "3"]


def test_a_table_lines_up(capsys: pytest.CaptureFixture[str]) -> None:
    screen.table(("model", "cost"), [("a", "1.00 USD"), ("longer", "0.50 USD")])

    lines = capsys.readouterr().out.splitlines()
    assert len({len(line) for line in lines}) == 1
