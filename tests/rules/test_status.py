"""What the controller asks, and what objectives count, on the real promtool."""

from pathlib import Path

import pytest
from llmobs.plan.rules import queries

from tests.rules.promtool import Scenario, cost, policy, prove

pytestmark = pytest.mark.promtool

MONTH = {"budgets": [{"name": "month", "limitUSD": 100}]}
BUDGET = '{namespace="team-a",policy="checkout",budget="month",period="Month"}'
UP = 'up{namespace="llmobs-system",pod="llmobs-gateway-5f6d7-abcde"}'


def calls(outcome: str = "ok", namespace: str = "team-a", priced: str = "priced") -> str:
    return f'llm_calls_total{{k8s_namespace="{namespace}",provider="openai",model="gpt-4o",outcome="{outcome}",priced="{priced}"}}'


def test_silence_is_zero_only_while_the_gateway_is_scraped(tmp_path: Path) -> None:
    prove(
        tmp_path,
        Scenario("scraped", [policy(MONTH)], {UP: "1x30"})
        .expect("20m", queries.BUDGET_SPENT, {f"llm_budget_spent_usd{BUDGET}": 0})
        .expect("20m", queries.BUDGET_USED, {f"llm_budget_used_ratio{BUDGET}": 0})
        .expect("20m", queries.TELEMETRY_ALIVE, {"llm:telemetry:alive{}": 1})
        .expect("20m", queries.MONTH_TO_DATE, {}),
        Scenario("calls of others prove it too", [policy(MONTH)], {calls(namespace="team-b"): "1x30"}).expect(
            "20m", queries.BUDGET_SPENT, {f"llm_budget_spent_usd{BUDGET}": 0}
        ),
        Scenario("no gateway", [policy(MONTH)], {UP: "0x30"})
        .expect("20m", queries.BUDGET_SPENT, {})
        .expect("20m", queries.BUDGET_USED, {})
        .expect("20m", queries.TELEMETRY_ALIVE, {}),
        Scenario("what was spent stays known", [policy(MONTH)], {UP: "1x20 0x60", cost(): "0+0.5x20 _x60"}).expect(
            "70m", queries.BUDGET_SPENT, {f"llm_budget_spent_usd{BUDGET}": 10}
        ),
        Scenario("it comes back", [policy(MONTH)], {UP: "1x5 0x40 1x40"}).expect(
            "80m", queries.BUDGET_SPENT, {f"llm_budget_spent_usd{BUDGET}": 0}
        ),
    )


def test_month_to_date_needs_no_budget_and_no_policy(tmp_path: Path) -> None:
    made = Scenario("spend", (), {cost(): "0+0.25x40", cost(namespace="team-b"): "0+0.5x40"})
    found = {
        'namespace:llm_cost_usd:month_to_date{namespace="team-a"}': 7.5,
        'namespace:llm_cost_usd:month_to_date{namespace="team-b"}': 15,
    }
    prove(tmp_path, made.expect("30m", queries.MONTH_TO_DATE, found))


def test_telemetry_age_is_the_time_since_the_last_call(tmp_path: Path) -> None:
    made = Scenario("age", (), {calls(): "0+1x10 10x50 _x60", calls(namespace="team-b"): "5x120"})
    made.expect("10m", queries.TELEMETRY_AGE, {'{namespace="team-a"}': 0})
    made.expect("40m", queries.TELEMETRY_AGE, {'{namespace="team-a"}': 26 * 60})
    made.expect("2h", queries.TELEMETRY_AGE, {'{namespace="team-a"}': 106 * 60})
    prove(tmp_path, made)


def test_each_policy_of_a_namespace_has_its_own_objectives(tmp_path: Path) -> None:
    strict = policy({"objectives": [{"name": "up", "availability": {"target": 0.999}}], "alerts": {"labels": {"room": "1"}}})
    loose = policy({"objectives": [{"name": "up", "availability": {"target": 0.9}}], "alerts": {"labels": {"desk": "2"}}}, name="search")
    made = Scenario("two", [strict, loose], {calls(): "0+97x40", calls("error"): "0+3x40"})
    made.expect(
        "35m",
        "round(100 * llm:objective_bad:ratio1h)",
        {f'{{namespace="team-a",policy="{name}",objective="up",sli="availability"}}': 3 for name in ("checkout", "search")},
    )
    burning = 'ALERTS{alertname="LLMErrorBudgetBurn",alertstate="firing"}'
    labels = (
        'alertname="LLMErrorBudgetBurn",alertstate="firing",namespace="team-a",policy="checkout",objective="up",sli="availability",room="1"'
    )
    prove(tmp_path, made.expect("35m", burning, {f'ALERTS{{{labels},severity="{severity}"}}': 1 for severity in ("critical", "warning")}))


def test_windows_hold_the_calls_of_their_length_and_no_more(tmp_path: Path) -> None:
    """Ten calls a minute throughout, so a window of n minutes holds 10 n, once it is full."""
    made = Scenario("windows", [policy()], {calls(): "0+50x600"}, step="5m", every="5m", groups=("llmobs-cost", "llmobs-calls"))
    own = '{namespace="team-a",policy="checkout",objective="availability",sli="availability"}'
    for window, minutes in (("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120), ("6h", 360), ("1d", 1440)):
        made.expect("2d", f"llm:objective_total:sum{window}", {f"llm:objective_total:sum{window}{own}": 10 * minutes})
    prove(tmp_path, made)


def test_a_window_after_the_last_call_keeps_an_alert_that_fires(tmp_path: Path) -> None:
    """Nobody calls any more: that is no proof of recovery, so the page does not flap."""
    failing = {calls("error"): "0+5x20 100x100"}
    prove(
        tmp_path,
        Scenario("held", [policy()], failing).expect("50m", 'count(ALERTS{alertname="LLMErrorBudgetBurn",severity="critical"})', {"{}": 1}),
    )
