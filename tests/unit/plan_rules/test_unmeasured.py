"""What a policy is told that is counted from metrics and asks for what only spans tell."""

from typing import Any

from llmobs.api import effective
from llmobs.api.conditions import ConditionType, Reason, Status
from llmobs.plan.rules.unmeasured import unmeasured

LATENCY = {"name": "slow", "latency": {"target": 0.9, "threshold": "5s"}}
EXACT = {"name": "exact", "latency": {"target": 0.9, "threshold": "5s120ms"}}
SPEED = {"name": "speed", "tokensPerSecond": {"target": 0.9, "atLeast": 30}}


def told(source: str, **spec: Any) -> str:
    """The message; empty for none."""
    body = {"metadata": {"name": "chat", "namespace": "n"}, "spec": {"collector": {"source": source}, **spec}}
    found = unmeasured(effective.policy(body, (), {}))
    if found is None:
        return ""
    assert (found.type, found.status, found.reason) == (ConditionType.RULES_READY, Status.TRUE, Reason.NOT_MEASURED)
    return found.message


def test_what_only_spans_tell_is_named() -> None:
    budget = {"name": "researcher", "limitUSD": 1, "match": {"agent": "r"}}
    said = told("Metrics", objectives=[SPEED, EXACT], agents={"maxSteps": 3, "maxToolRepeats": 2}, budgets=[budget])

    assert said.endswith("nothing is measured for objective speed, agents.maxSteps, agents.maxToolRepeats, budget researcher (match.agent)")


def test_a_threshold_inside_a_bucket_is_named_with_the_bounds_beside_it() -> None:
    said = told("Metrics", objectives=[LATENCY, EXACT, {"name": "long", "latency": {"target": 0.9, "threshold": "5m"}}])

    assert said.endswith("an estimate judges objective slow (5 s; ask for 2.56 or 5.12 s), objective long (300 s; ask for 81.92 s)")


def test_from_spans_everything_is_measured() -> None:
    assert told("Traces", objectives=[SPEED, LATENCY], agents={"maxSteps": 3}) == ""
    assert told("Metrics", objectives=[EXACT], budgets=[{"name": "all", "limitUSD": 1}]) == ""
