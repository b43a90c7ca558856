"""The policies of the golden files: one case per shape that rules take."""

from llmobs.api.effective import Policy
from llmobs.plan.inputs import Inputs

from tests.rules.promtool import inputs, policy

FULL = {
    "budgets": [
        {"name": "monthly", "period": "Month", "limitUSD": 2000, "warnAt": [0.5, 0.8]},
        {"name": "weekly", "period": "Week", "limitUSD": 600.5},
        {"name": "researcher", "period": "Day", "limitUSD": 50, "match": {"agent": "researcher", "model": "my-azure-deployment"}},
        {"name": "odd", "period": "Month", "limitUSD": 0.01, "warnAt": [], "match": {"team": 'a "quoted" \\ {{ one }}', "feature": "é"}},
    ],
    "objectives": [
        {"name": "availability", "availability": {"target": 0.995}},
        {"name": "latency", "latency": {"target": 0.95, "threshold": "5s"}},
        {"name": "fast", "latency": {"target": 0.5, "threshold": "1m1s500ms"}},
        {"name": "first", "timeToFirstToken": {"target": 0.95, "threshold": "500ms"}},
        {"name": "speed", "tokensPerSecond": {"target": 0.9, "atLeast": 33.5}},
        {"name": "search", "retrievalLatency": {"target": 0.9, "threshold": "300ms"}},
    ],
    "agents": {"maxRunCostUSD": 0.25, "maxSteps": 20, "maxToolRepeats": 3},
    "alerts": {"labels": {"team": "payments", "cost_center": "4711"}, "disabled": ["LLMLatencyBudgetBurn"]},
}


def golden() -> dict[str, Inputs]:
    """File name -> what the rules are rendered from."""
    return {
        "nothing": inputs(),
        "empty": inputs(policy()),
        "full": inputs(policy(FULL)),
        "two-policies": inputs(policy(FULL), policy({"budgets": [{"name": "monthly", "limitUSD": 10}]}, name="search"), _other()),
        "tile-1m": inputs(policy({"budgets": [{"name": "demo", "period": "Day", "limitUSD": 0.05}]}), tile="1m"),
    }


def _other() -> Policy:
    return policy({"alerts": {"labels": {"team": "growth"}}, "dashboards": {"delivery": "None"}}, namespace="team-b")
