"""An objective whose threshold had to share a bucket bound still alerts, and earlier rather than later than asked."""

from pathlib import Path

from llmobs.plan.measures import MOST

from tests.rules.promtool import Scenario, policy, prove

CALLS = 'llm_call_duration_seconds_bucket{{k8s_namespace="team-a",provider="openai",model="gpt-4o",outcome="ok",le="{le}"}}'


def test_the_bound_that_is_shared_judges_the_objective(tmp_path: Path) -> None:
    """Asked is 1.1 s, judged at 1.032 s: of ten calls a minute six are up to 1.032 s, and eight would have been up to 1.1 s."""
    wanted = [{"name": f"o{index}", "latency": {"target": 0.9, "threshold": f"{1001 + index}ms"}} for index in range(MOST)]
    others = [policy({"objectives": wanted[at : at + 16]}, name=f"p{at}", namespace="a") for at in range(0, MOST, 16)]
    late = policy({"objectives": [{"name": "late", "latency": {"target": 0.95, "threshold": "1s100ms"}}]})
    series = {CALLS.format(le=le): f"0+{each}x60" for le, each in (("1.001", 5), ("1.032", 6), ("1.28", 9), ("+Inf", 10))}
    made = Scenario("shared", [*others, late], series, groups=("llmobs-cost", "llmobs-calls", "llmobs-alerts"))
    own = 'namespace="team-a",policy="checkout",objective="late",sli="latency",le="1.032"'
    made.expect("40m", f"round(100 * llm:objective_bad:ratio1h{{{own}}})", {f"{{{own}}}": 40})
    firing = f'ALERTS{{alertname="LLMLatencyBudgetBurn",alertstate="firing",severity="warning",{own}}}'
    made.expect("40m", firing, {firing: 1})
    prove(tmp_path, made)
