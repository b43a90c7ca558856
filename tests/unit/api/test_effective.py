"""A namespace's own value wins over the fleet's default, and the fleet's ceiling over both."""

from __future__ import annotations

from typing import Any

import pytest
from llmobs.api.effective import Fleet, fleet, fleet_for, overlay, policy
from llmobs.api.v1alpha1.content import Capture
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.kit.errors import Invalid


def made(name: str, **spec: Any) -> Fleet:
    return fleet({"metadata": {"name": name}, "spec": spec})


def body(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "chat", "namespace": "team"}, "spec": spec}


DESTINATION = {"name": "langfuse", "otlp": {"endpoint": "https://langfuse.example.com"}}


def test_without_a_fleet_nothing_may_be_captured() -> None:
    found = policy(body(content={"capture": "Full"}), [], {})

    assert found.spec.content.capture is Capture.NONE
    assert "lowered to None" in found.restrictions[0]


def test_the_ceiling_allows_up_to_itself() -> None:
    found = policy(body(content={"capture": "Full"}), [made("f", limits={"content": {"maxCapture": "Full"}})], {})

    assert found.spec.content.capture is Capture.FULL
    assert found.restrictions == ()


def test_a_default_is_under_the_ceiling_too() -> None:
    found = policy(body(), [made("f", defaults={"content": {"capture": "Full"}})], {})

    assert found.spec.content.capture is Capture.NONE


def test_own_values_win_by_key_and_lists_as_a_whole() -> None:
    defaults = {
        "attributes": {"team": "fleet", "environment": "prod"},
        "injection": {"mode": "OptIn"},
        "budgets": [{"name": "a", "limitUSD": 1}],
    }
    found = policy(body(attributes={"team": "own"}, budgets=[{"name": "b", "limitUSD": 2}]), [made("f", defaults=defaults)], {})

    assert dict(found.spec.attributes) == {"team": "own", "environment": "prod"}
    assert found.spec.injection.mode is InjectionMode.OPT_IN
    assert [budget.name for budget in found.spec.budgets] == ["b"]


@pytest.mark.parametrize(
    ("fleets", "labels", "winner"),
    [
        ([("b", 0, {}), ("a", 0, {})], {}, "a"),
        ([("a", 0, {}), ("b", 5, {})], {}, "b"),
        ([("a", 9, {"tier": "gold"}), ("b", 0, {})], {}, "b"),
        ([("a", 9, {"tier": "gold"}), ("b", 0, {})], {"tier": "gold"}, "a"),
        ([("a", 0, {"tier": "gold"})], {}, None),
    ],
)
def test_highest_priority_then_first_name(fleets: list[Any], labels: dict[str, str], winner: str | None) -> None:
    every = [made(name, priority=priority, namespaceSelector={"matchLabels": wanted}) for name, priority, wanted in fleets]

    found = fleet_for(every, labels)

    assert (found.identity.name if found else None) == winner


@pytest.mark.parametrize(
    ("spec", "labels", "allowed"),
    [
        ({"destinations": [DESTINATION]}, {}, True),
        ({"destinations": [{**DESTINATION, "allowedNamespaces": {"matchLabels": {"pii": "no"}}}]}, {}, False),
        ({"destinations": [{**DESTINATION, "allowedNamespaces": {"matchLabels": {"pii": "no"}}}]}, {"pii": "no"}, True),
        ({"destinations": [DESTINATION], "limits": {"destinations": []}}, {}, False),
        ({"destinations": [DESTINATION], "limits": {"destinations": ["langfuse"]}}, {}, True),
        ({}, {}, False),
    ],
)
def test_destinations(spec: dict[str, Any], labels: dict[str, str], allowed: bool) -> None:
    asked = body(backends=[{"name": "team", "destination": "langfuse"}])
    if allowed:
        assert [d.name for d in policy(asked, [made("f", **spec)], labels).destinations] == ["langfuse"]
        return
    with pytest.raises(Invalid) as caught:
        policy(asked, [made("f", **spec)], labels)

    assert caught.value.path == "spec.backends[0].destination"
    assert "it may use: none" in caught.value.message


def test_a_name_is_required() -> None:
    with pytest.raises(Invalid) as caught:
        policy({"metadata": {}, "spec": {}}, [], {})

    assert caught.value.path == "metadata.name"


def test_overlay_keeps_falsehoods() -> None:
    assert overlay({"a": {"x": True}, "b": 1}, {"a": {"x": False}, "b": None}) == {"a": {"x": False}, "b": 1}
