"""More thresholds than bounds: who keeps a bound, which one judges the others, and what their owners are told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from llmobs.api.conditions import ConditionType, Reason, Status
from llmobs.api.effective import Policy
from llmobs.catalogue import metrics
from llmobs.plan.collector import bare_config
from llmobs.plan.measures import LIMITS, MEASURES, MOST
from llmobs.plan.rules import bare_groups, policy_parts

from tests.rules.promtool import ROOT, inputs, policy

FIELDS = {"latency": "threshold", "timeToFirstToken": "threshold", "retrievalLatency": "threshold", "tokensPerSecond": "atLeast"}


def asking(kind: str, *values: Any, name: str = "checkout", created: str = "", namespace: str = "team-a") -> Policy:
    """A policy with an objective for every value, called ``o0`` and so on."""
    wanted = [{"name": f"o{index}", kind: {"target": 0.9, FIELDS[kind]: value}} for index, value in enumerate(values)]
    made = policy({"objectives": wanted}, name=name, namespace=namespace)
    return replace(made, identity=replace(made.identity, created=created))


def crowd(kind: str, *values: Any) -> list[Policy]:
    """Old policies that ask for all of these: sixteen objectives are the most of one."""
    parts = [values[at : at + 16] for at in range(0, len(values), 16)]
    return [asking(kind, *part, name=f"crowd{index}", created="2026-01-01T00:00:00Z") for index, part in enumerate(parts)]


def odd(count: int, first: int = 1001) -> list[str]:
    """Thresholds of which none is a standard bound, from ``first`` milliseconds on."""
    return [f"{first + step}ms" for step in range(count)]


def judged(*policies: Policy) -> dict[tuple[str, str], str]:
    """(policy, objective or limit) -> the bound that its rules read."""
    found = [rule for group in bare_groups(inputs(*policies))["groups"] for rule in group["rules"]]
    wanted = [rule["labels"] for rule in found if rule.get("record") in ("llm_objective_target", "llm_agent_limit")]
    return {(labels["policy"], labels.get("objective") or labels["limit"]): labels["le"] for labels in wanted if "le" in labels}


def buckets(histogram: str, *policies: Policy) -> list[float]:
    connectors = bare_config(inputs(*policies))["connectors"].values()
    defined = [made for connector in connectors for made in connector.get("spans", ())]
    [found] = [made["histogram"]["buckets"] for made in defined if made["name"] == histogram.removesuffix("_seconds")]
    return list(found)


def told(*policies: Policy) -> str:
    """What the first of the policies is told; nothing while all is exact."""
    [part] = policy_parts(inputs(*policies), policies[0])
    assert part.manifests, "rules are applied all the same"
    if part.finding is None:
        return ""
    assert (part.finding.type, part.finding.status) == (ConditionType.RULES_READY, Status.TRUE)
    assert part.finding.reason is Reason.THRESHOLD_SHARED
    return part.finding.message


def test_many_namespaces_with_odd_thresholds_add_a_bounded_number_of_buckets() -> None:
    tenants = [asking("latency", text, namespace=f"n{index}") for index, text in enumerate(odd(200))]

    assert len(buckets(metrics.DURATION, *tenants)) == len(metrics.DURATION_BOUNDS) + MOST
    assert buckets(metrics.FIRST_CHUNK, *tenants) == list(metrics.DURATION_BOUNDS), "each histogram has its own number"


def test_a_standard_bound_costs_nothing_and_stays_exact_when_all_others_are_taken() -> None:
    others = crowd("latency", *odd(MOST))
    late = asking("latency", "5s120ms", "1001ms", created="2026-02-01T00:00:00Z")

    assert judged(late, *others)["checkout", "o0"] == "5.12"
    assert judged(late, *others)["checkout", "o1"] == "1.001", "what another one's threshold brought is anybody's"
    assert told(late, *others) == ""


def test_the_oldest_keep_their_bounds_whatever_is_added_and_whatever_it_is_called() -> None:
    old = [asking("latency", text, name=f"z{index:02}", created=f"2026-01-{index + 1:02}T00:00:00Z") for index, text in enumerate(odd(31))]
    before = judged(*old)
    new = asking("latency", "400ms", "500ms", "600ms", name="a", created="2026-03-01T00:00:00Z")
    after = judged(new, *old)

    assert {key: value for key, value in after.items() if key[0] != "a"} == before
    assert after["a", "o0"] == "0.4", "one bound was left"
    assert (after["a", "o1"], after["a", "o2"]) == ("0.4", "0.4")


def test_of_one_age_the_name_decides_not_the_order_in_which_they_are_given() -> None:
    twins = [asking("latency", text, name=f"p{index:02}") for index, text in enumerate(odd(MOST + 3))]

    assert judged(*twins) == judged(*reversed(twins))
    assert judged(*twins)["p31", "o0"] == "1.032"
    assert judged(*twins)["p32", "o0"] == "1.032"


@pytest.mark.parametrize(
    ("kind", "taken", "value", "bound"),
    [
        ("latency", odd(MOST), "1s900ms", "1.28"),
        ("latency", odd(MOST), "11ms", "0.01"),
        ("timeToFirstToken", odd(MOST), "1s20ms", "1.02"),
        ("retrievalLatency", odd(MOST), "60m", "600"),
        ("tokensPerSecond", [41.5 + step / 8 for step in range(MOST)], 33, "40"),
        ("tokensPerSecond", [41.5 + step / 8 for step in range(MOST)], 41, "41.5"),
        ("tokensPerSecond", [41.5 + step / 8 for step in range(MOST)], 2000, "100000"),
    ],
)
def test_the_bound_that_judges_instead_hides_no_breach(kind: str, taken: list[Any], value: Any, bound: str) -> None:
    """Below a threshold of time, above one of speed; and the gateway has it."""
    others = crowd(kind, *taken)
    late = asking(kind, value, created="2026-02-01T00:00:00Z")
    [histogram] = [item.histogram for item in MEASURES if item.indicator is type(late.spec.objectives[0].indicator)]

    assert judged(late, *others)["checkout", "o0"] == bound
    assert float(bound) in buckets(histogram, late, *others)


@pytest.mark.parametrize(("asked", "bound"), [(0.26, "0.2531"), (0.0004, "0")])
def test_limits_of_runs_are_shared_like_thresholds(asked: float, bound: str) -> None:
    others = [policy({"agents": {"maxRunCostUSD": round(0.25 + step / 10000, 4)}}, name=f"a{step:02}") for step in range(MOST)]
    late = policy({"agents": {"maxRunCostUSD": asked, "maxSteps": 7}})

    assert judged(late, *others)["checkout", "cost"] == bound
    assert judged(late, *others)["checkout", "steps"] == "7"
    assert float(bound) in buckets(metrics.RUN_COST, late, *others)
    assert f"agents.maxRunCostUSD asks for {asked} USD and is judged at {bound} USD" in told(late, *others)


def test_the_policy_is_told_which_objective_asked_for_what_and_what_judges_it() -> None:
    others = crowd("latency", *odd(MOST))
    late = asking("latency", "1001ms", "1s100ms", "900ms", created="2026-02-01T00:00:00Z")

    said = told(late, *others)
    assert "objective o1 asks for 1.1 s and is judged at 1.032 s; objective o2 asks for 0.9 s and is judged at 0.64 s" in said
    assert "o0" not in said
    assert told(*others, late) == ""


def test_the_documentation_lists_the_bounds_that_cost_nothing() -> None:
    text = (ROOT / "docs/series.md").read_text(encoding="utf-8")

    assert f"at most {MOST} bounds" in text
    for item in (*MEASURES, *LIMITS):
        assert f"| {', '.join(f'{bound:g}' for bound in metrics.BOUNDS[item.histogram])}" in text, item.histogram


def test_a_threshold_of_any_kind_has_a_bound_that_is_stricter() -> None:
    """Nothing is asked for beyond what the API takes, so ``end`` is never on the lenient side."""
    ends: Mapping[str, float] = {item.histogram: item.end for item in (*MEASURES, *LIMITS)}

    assert ends == {
        metrics.DURATION: 0.01,
        metrics.FIRST_CHUNK: 0.01,
        metrics.RETRIEVAL_DURATION: 0.01,
        metrics.SPEED: 100000.0,
        metrics.RUN_COST: 0.0,
        metrics.RUN_STEPS: 1.0,
    }
