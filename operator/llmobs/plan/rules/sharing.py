"""What a policy is told whose thresholds have no bucket bound of their own."""

from __future__ import annotations

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.plan.measures import MOST, Asked, Bounds, asked
from llmobs.plan.rules.promql import plain


def shared(policy: Policy, bounds: Bounds) -> Finding | None:
    """RulesReady, with every threshold that another bound judges; None where all are exact."""
    told = [_told(item, used) for item in asked(policy) if (used := bounds.bound(item.item, item.value)) != item.value]
    if not told:
        return None
    said = (
        f"the rules are in place; the {MOST} bounds that policies may add to a histogram are taken, so the next stricter one judges: "
        f"{'; '.join(told)}. Ask for a bound that is there to be judged exactly"
    )
    return Finding(ConditionType.RULES_READY, Status.TRUE, Reason.THRESHOLD_SHARED, said)


def _told(item: Asked, used: float) -> str:
    unit = item.item.unit
    return f"{item.by} asks for {plain(item.value)} {unit} and is judged at {plain(used)} {unit}"
