"""No field is documented and ignored: changing any field of any kind changes what is planned, injected, or refused.

Every leaf of every spec's schema must stand in one of the tables below, so a new field fails here until it is honoured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from llmobs.api.kinds import FLEET, POLICY, PRICES
from llmobs.kit.crd import schema

from tests.unit.fields.effects import Case, planned
from tests.unit.fields.fleet import ASKS, BASE, FLEET_FIELDS
from tests.unit.fields.policy import POLICY_FIELDS
from tests.unit.fields.prices import PRICE_FIELDS


def leaves(shape: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every field that holds a value of its own; ``defaults`` repeats a policy's spec and is tested as one."""
    for name, child in shape.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        inner = child.get("items", child)
        if path == "" and name == "defaults":
            continue
        if inner.get("properties"):
            yield from leaves(inner, f"{here}[]" if "items" in child else here)
        else:
            yield here


@pytest.mark.parametrize(
    ("kind", "tested"),
    [(POLICY, POLICY_FIELDS), (FLEET, {**FLEET_FIELDS, "priority": None, "limits.collectorModes": None}), (PRICES, PRICE_FIELDS)],
    ids=["LLMObservability", "ClusterLLMObservability", "LLMPriceList"],
)
def test_every_field_has_its_test(kind: Any, tested: Mapping[str, Any]) -> None:
    assert set(leaves(schema(kind.spec))) == set(tested)


def changes(case: Case, render: Callable[[Mapping[str, Any]], str]) -> bool:
    before, after = (render(spec) for spec in case)
    return before != after


@pytest.mark.parametrize("case", POLICY_FIELDS.values(), ids=POLICY_FIELDS.keys())
def test_a_field_of_a_policy_is_honoured(case: Case) -> None:
    assert changes(case, lambda spec: planned(spec, BASE))


@pytest.mark.parametrize("case", POLICY_FIELDS.values(), ids=POLICY_FIELDS.keys())
def test_a_fleets_default_is_honoured_like_the_field_itself(case: Case) -> None:
    assert changes(case, lambda spec: planned({}, {**BASE, "defaults": spec}))


@pytest.mark.parametrize("case", FLEET_FIELDS.values(), ids=FLEET_FIELDS.keys())
def test_a_field_of_the_fleet_is_honoured(case: Case) -> None:
    assert changes(case, lambda spec: planned(ASKS, spec))


def test_the_fleets_priority_is_honoured() -> None:
    strict = {"limits": {"content": {"maxCapture": "None"}}}

    assert planned(ASKS, BASE, {**strict, "priority": 1}) != planned(ASKS, BASE, {**strict, "priority": -1})


def test_the_fleets_collector_modes_are_honoured() -> None:
    asks = {"collector": {"mode": "External", "endpoint": "http://agent.team.svc:4318"}}

    assert planned(asks, BASE) != planned(asks, {**BASE, "limits": {**BASE["limits"], "collectorModes": ["Shared"]}})


@pytest.mark.parametrize("case", PRICE_FIELDS.values(), ids=PRICE_FIELDS.keys())
def test_a_field_of_a_price_list_is_honoured(case: Case) -> None:
    assert changes(case, lambda spec: planned({}, prices=spec))
