"""Whoever invents names without end crowds out no money of another namespace: each has room of its own."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from llmobs.catalogue import metrics
from llmobs.plan import collector
from llmobs.plan.collector.rooms import MOST

from tests.collector.conftest import inputs
from tests.collector.gateway import PEER, Gateway, get, until
from tests.collector.spans import current, pairs, span

COST = (1000 * 2.5 + 100 * 10) / 1e6
NAMES = 2000
ROOM = 600
"""Series that each room holds here: few enough for a short test."""

LOST = 'otelcol_deltatocumulative_datapoints{error="limit"'


def total(name: str) -> bool:
    return name.startswith("delta_to_cumulative")


@pytest.fixture(scope="module")
def gateway(start: Any) -> Gateway:
    def narrow(config: dict[str, Any]) -> None:
        for name, item in config["processors"].items():
            if total(name):
                item["max_streams"] = ROOM

    made: Gateway = start(inputs({"hostile/p": {}, "quiet/p": {}, "outside/p": {"collector": {"mode": "Dedicated"}}}), change=narrow)
    return made


def flood(namespace: str, workload: str = "app") -> dict[str, Any]:
    """One request with endless names of everything that a client may choose on a series of money."""
    resources = []
    for number in range(NAMES):
        call = current("gpt-4o", 1000, 100, provider=f"p{number}", gen_ai__agent__name=f"a{number}", error__type=f"E{number}")
        who = {f"{PEER}k8s.namespace.name": namespace, f"{PEER}k8s.deployment.name": workload}
        mine = {"service.name": f"s{number}", "team": f"t{number}", "llmobs.room": "01", "llmobs.who": "01\x1fquiet"}
        resources.append({"resource": {"attributes": pairs({**who, **mine})}, "scopeSpans": [{"spans": [span(call)]}]})
    return {"resourceSpans": resources}


NUMBERS = itertools.count()


def totals(gateway: Gateway, namespace: str) -> dict[str, float]:
    names = (metrics.CALLS, metrics.COST, metrics.AGENT_COST, metrics.TOKENS, f"{metrics.DURATION}_count")
    return {name: gateway.value(name, k8s_namespace=namespace) for name in names}


def counted(gateway: Gateway, namespace: str, calls: int) -> None:
    """New calls of a namespace, each under a name that is new, are counted exactly."""
    before = totals(gateway, namespace)
    for number in itertools.islice(NUMBERS, calls):
        call = current("gpt-4o", 1000, 100, gen_ai__agent__name="planner")
        gateway.send(span(call), namespace=namespace, workload="web", resource={"service.name": f"n{number}"})
    gateway.calls(namespace, int(before[metrics.CALLS]) + calls)
    each = {metrics.CALLS: 1, metrics.COST: COST, metrics.AGENT_COST: COST, metrics.TOKENS: 1100, f"{metrics.DURATION}_count": 1}
    assert totals(gateway, namespace) == pytest.approx({name: before[name] + calls * one for name, one in each.items()}, rel=1e-9)


def test_endless_names_of_one_namespace_touch_no_other(gateway: Gateway) -> None:
    counted(gateway, "quiet", 3)
    gateway.post(flood("hostile"))
    assert until(lambda: LOST in get(f"http://127.0.0.1:{gateway.ports['self']}/metrics"))

    counted(gateway, "quiet", 8)
    counted(gateway, "nobody", 8)
    assert 0 < len(gateway.samples(metrics.COST, k8s_namespace="hostile")) < ROOM


def test_endless_names_where_no_policy_speaks_touch_no_policys_namespace(gateway: Gateway) -> None:
    gateway.post(flood("stranger"))
    gateway.post(flood("", workload=""))
    assert until(lambda: len(gateway.samples(metrics.COST, k8s_namespace="stranger")) > 0)

    counted(gateway, "quiet", 12)


def test_rooms_are_dealt_out_evenly_and_hold_less_the_more_there_are() -> None:
    def rooms(count: int) -> tuple[int, int]:
        config = collector.bare_config(inputs({f"n{number}/p": {} for number in range(count)}))
        made = [name for name in config["service"]["pipelines"] if name.startswith("metrics/derived.")]
        calls = config["processors"].get("delta_to_cumulative/derived", config["processors"]["delta_to_cumulative"])
        return len(made), calls["max_streams"]

    assert {count: rooms(count) for count in (0, 1, 3, MOST, MOST + 1)} == {
        0: (0, 100_000),
        1: (2, 100_000),
        3: (4, 50_000),
        MOST: (MOST + 1, 20_000),
        MOST + 1: (MOST + 1, 20_000),
    }
