"""What `make demo` shows, asserted."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.e2e.conftest import World
from tests.e2e.workloads import injected

pytestmark = pytest.mark.node


def test_every_call_costs_what_it_costs_by_hand(world: World) -> None:
    assert world.told["stats"]["calls"] == {"gpt-4o": 300, "gpt-4o-mini": 300, "claude-sonnet-4-6": 300}
    assert {model: Decimal(cost) for model, cost in world.told["expected"].items()} == {
        "gpt-4o": Decimal("1.2"),  # 300 x (600 x 2.50 + 400 x 1.25 + 200 x 10.00) / 1,000,000
        "gpt-4o-mini": Decimal("0.18"),  # 300 x (2000 x 0.15 + 500 x 0.60) / 1,000,000
        "claude-sonnet-4-6": Decimal("0.855"),  # 300 x (100 x 3.00 + 1000 x 0.30 + 200 x 3.75 + 100 x 15.00) / 1,000,000
    }
    for model, cost in world.told["expected"].items():
        assert abs(Decimal(world.told["costs"][model]) - Decimal(cost)) < Decimal("1e-9"), model


def test_every_token_is_counted_once(world: World) -> None:
    assert world.told["tokens"] == sum(count for kinds in world.told["stats"]["tokens"].values() for count in kinds.values())


def test_every_call_is_one_span(world: World) -> None:
    assert world.told["spans"] == sum(world.told["stats"]["calls"].values())


def test_a_workload_without_llm_loads_nothing(world: World) -> None:
    assert world.told["idle"]["telemetryModules"] == 0


def test_the_alert_says_what_happened_and_where_to_read_on(world: World) -> None:
    labels, notes = world.told["alert"]["labels"], world.told["alert"]["annotations"]

    assert labels["alertname"] == "LLMBudgetExhausted"
    assert (labels["namespace"], labels["policy"], labels["budget"], labels["period"]) == ("team-chat", "chat", "daily", "Day")
    assert (labels["severity"], labels["team"]) == ("critical", "chat")
    assert re.search(r"Namespace team-chat has spent 2\.\d\d of 2\.00 USD", notes["description"])
    assert notes["runbook_url"].endswith("/LLMBudgetExhausted")


def test_the_status_shows_spend_and_state(world: World) -> None:
    status = world.told["policy"]["status"]
    ready = {item["type"]: item["status"] for item in status["conditions"]}

    assert status["spend"]["monthToDateUSD"] == pytest.approx(2.235, abs=0.03)
    assert (status["state"], status["injected"]) == ("Exceeded", "3/3")
    assert {name: ready[name] for name in ("Ready", "CollectorReady", "RulesReady", "TelemetryFlowing", "WithinBudget")} == {
        "Ready": "True",
        "CollectorReady": "True",
        "RulesReady": "True",
        "TelemetryFlowing": "True",
        "WithinBudget": "False",
    }


def test_the_pod_is_marked_and_its_own_settings_stand(world: World) -> None:
    pod = world.told["pod"]
    variables = {item["name"]: item.get("value") for item in pod["spec"]["containers"][0]["env"]}

    assert injected(pod)
    assert variables["OPENAI_BASE_URL"] == "http://fake-llm:8080/v1"
    assert [name for name in variables if name.startswith("OTEL_")] == []


def test_the_screen_tells_it_to_a_person(world: World) -> None:
    for said in ("rules.tile is 1m", "cost, measured", "LLMBudgetExhausted", "kubectl get llmobs", "llmobs-fleet", "On your own cluster"):
        assert said in world.screen
