"""The collector finds the row that Python finds, for every listed name and for names as providers decorate them."""

from collections import defaultdict
from typing import Any

import pytest
from llmobs.prices.table import table

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway
from tests.collector.spans import START, current, span
from tests.unit.prices.spellings import SPELLINGS

DECORATED = (
    "{}",
    "{}-2027-01-31",
    "{}-20270131",
    "{}@20270131",
    "{}-latest",
    "models/{}",
    "a/b/{}",
    "us.anthropic.{}-20270131-v1:0",
    "eu.{}",
    "{}:7",
    "us.amazon.{}-v1:0:300k",
    "{}-v2@20270131",
    "{}-preview-01-31",
    "a/{}:floor",
    "/data/{}",
)
TOKENS = 1_000
"""Too few for another rate than the base one."""
MIDNIGHT = START - START % (86_400 * 10**9)
"""An hour at which no provider charges otherwise."""


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    return start(inputs())


def asked() -> list[tuple[str, str]]:
    """(provider, name) for every row, decorated in turn."""
    rows = [full.rpartition("|")[::2] for full in sorted(table([]).rows)]
    return [
        (provider or "somebody", form.format(name))
        for index, (provider, name) in enumerate(rows)
        for form in ("{}", DECORATED[index % len(DECORATED)])
    ] + [(provider, name) for provider, name, _, _ in SPELLINGS]


def test_every_listed_name_costs_what_the_table_says(gateway: Gateway) -> None:
    prices = table([])
    expected: dict[tuple[str, str], float] = defaultdict(float)
    calls: dict[tuple[str, str], int] = defaultdict(int)
    for provider, name in asked():
        row = prices.find(name, provider)
        label = provider, row.model if row else "other"
        calls[label] += 1
        expected[label] += (TOKENS * (row.input + row.output) + dict(row.more).get("f", 0)) / 1e6 if row else 0
    times = {"startTimeUnixNano": str(MIDNIGHT), "endTimeUnixNano": str(MIDNIGHT + 1)}
    spans = [span(current(name, TOKENS, TOKENS, provider=provider), **times) for provider, name in asked()]

    for first in range(0, len(spans), 500):
        gateway.send(*spans[first : first + 500], namespace="parity")
    gateway.calls("parity", len(spans))

    def seen(series: str) -> dict[tuple[str, str], float]:
        return {(labels["provider"], labels["model"]): value for labels, value in gateway.samples(series, k8s_namespace="parity")}

    assert len(spans) > 1500
    assert seen("llm_calls_total") == calls
    money = seen("llm_cost_usd_total")
    assert money == {label: pytest.approx(cost, abs=1e-9) for label, cost in expected.items() if label[1] != "other"}
