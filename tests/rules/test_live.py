"""The rules on a running Prometheus: phases and scheduling as they are, ``le`` as it stores it, money to the cent."""

import datetime as dt
import time
from pathlib import Path

import pytest
from llmobs.plan.rules import queries

from tests.rules.live import Gateway, prometheus, steady_period
from tests.rules.promtool import cost, inputs, policy

pytestmark = pytest.mark.promtool

SPENT = "llm_budget_spent_usd"
BUCKET = 'llm_call_duration_seconds_bucket{{k8s_namespace="team-a",provider="openai",model="gpt-4o",outcome="ok",le="{}"}}'


def test_money_is_right_on_a_running_prometheus(tmp_path: Path) -> None:
    """Tiles of five seconds, so that it takes one minute and not an hour."""
    spec = {
        "budgets": [{"name": "small", "period": steady_period(dt.datetime.now(dt.UTC).date()), "limitUSD": 15}],
        "objectives": [{"name": "fast", "latency": {"target": 0.9, "threshold": "5s"}}],
        "alerts": {"labels": {"room": "4711"}},
    }
    gateway, old, new = Gateway(), cost(), cost(model="claude")
    gateway.series = {old: 250.25, BUCKET.format("5.0"): 0, BUCKET.format("+Inf"): 0}
    began = time.time()
    with prometheus(tmp_path, inputs(policy(spec), tile="5s", scrape="1s"), gateway) as running:

        def shows(usd: float) -> bool:
            return running.value(f"round(100 * {SPENT})") == round(100 * usd)

        running.wait("new counters count", lambda: running.value(queries.WATCHED))
        running.wait("old totals do not", lambda: shows(0))
        gateway.add(old, 12.34)
        gateway.add(new, 0.66)
        gateway.add(BUCKET.format("5.0"), 3)
        gateway.add(BUCKET.format("+Inf"), 10)
        running.wait("a counter that grew and one that is new", lambda: shows(13.00))
        running.wait("the bound is joined", lambda: running.value('llm:objective_bad:sum5m{le="5",sli="latency"}') == 7)
        assert running.value('llm:objective_total:sum5m{le="5",sli="latency"}') == 10

        gateway.series = {old: 0.5, new: 0.25}
        running.wait("a restarted gateway", lambda: shows(13.75))
        gateway.down = True
        running.wait("scrapes fail", lambda: running.value("up") == 0)
        gateway.add(old, 2.25)
        gateway.down = False
        running.wait("what was missed is caught up", lambda: shows(16.00))
        running.wait("the alert", lambda: running.samples('ALERTS{alertname="LLMBudgetExhausted",alertstate="firing",room="4711"}'))

        history = running.history(SPENT, since=began)
        assert history == sorted(history), "spend of a period never falls"
        assert running.value(f"max_over_time({SPENT}[10m])") == pytest.approx(16)
        unhealthy = [rule for group in running.get("rules")["groups"] for rule in group["rules"] if rule["health"] == "err"]
        assert unhealthy == []
