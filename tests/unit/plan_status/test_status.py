"""From what was observed to conditions and status."""

from dataclasses import replace
from typing import Any

import pytest
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.effective import policy as effective
from llmobs.api.v1alpha1.status import SkippedPods
from llmobs.plan.findings import (
    Pods,
    Spend,
    accepted,
    budgets,
    elsewhere,
    gateway,
    injection,
    ready,
    telemetry,
    undeliverable,
    within,
    worst,
)
from llmobs.plan.status import cents, conditions, policy_status, refused_status

THEN, NOW = "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"
AWAY = Finding(ConditionType.TELEMETRY_FLOWING, Status.UNKNOWN, Reason.PROMETHEUS_UNREACHABLE, "no route")


def policy(spec: dict[str, Any] | None = None) -> Policy:
    return effective({"metadata": {"name": "p", "namespace": "n", "uid": "u", "generation": 2}, "spec": spec or {}}, (), {})


DAILY = policy({"budgets": [{"name": "daily", "period": "Day", "limitUSD": 10, "warnAt": [0.5, 0.8]}]})


def spent(amount: float, *, month: float = 20.0, at: str = NOW) -> Spend:
    return Spend(month_to_date={"n": month}, budgets={("n", "p", "daily"): amount}, ages={"n": 60.0}, at=at)


def judged(kind: ConditionType, status: Status = Status.TRUE, message: str = "m") -> Finding:
    return Finding(kind, status, Reason.APPLIED, message)


@pytest.mark.parametrize(
    ("spec", "pods", "broken", "status", "reason", "said"),
    [
        ({"injection": {"mode": "Disabled"}}, Pods(), "away", Status.TRUE, Reason.DISABLED, "Disabled"),
        ({}, Pods(matched=2, injected=2), "away", Status.FALSE, Reason.NOT_AVAILABLE, "away"),
        ({}, Pods(), None, Status.TRUE, Reason.NO_PODS, "pods created from now on are instrumented"),
        (
            {},
            Pods(matched=3, injected=2, missed=("web-1",)),
            None,
            Status.FALSE,
            Reason.PODS_NOT_INJECTED,
            "1 of 3 matching pods, such as web-1",
        ),
        (
            {},
            Pods(matched=3, injected=1, before=("a", "b")),
            None,
            Status.TRUE,
            Reason.PODS_BEFORE_POLICY,
            "2 of 3 matching pods, such as a",
        ),
        ({}, Pods(matched=3, injected=3, outdated=1), None, Status.TRUE, Reason.PODS_OUTDATED, "1 of 3 instrumented pods"),
        ({}, Pods(matched=3, injected=2), None, Status.TRUE, Reason.INJECTED, "2 of 3"),
    ],
)
def test_injection(spec: dict[str, Any], pods: Pods, broken: str | None, status: Status, reason: Reason, said: str) -> None:
    found = injection(policy(spec), pods, broken)
    assert (found.status, found.reason) == (status, reason)
    assert said in found.message


@pytest.mark.parametrize(
    ("given", "version", "said"),
    [
        ({"delivery": "ImageVolume"}, (1, 35), "needs Kubernetes 1.36, this API server is 1.35"),
        ({"delivery": "ImageVolume"}, (1, 36), None),
        ({"delivery": "ImageVolume"}, None, None),
        ({"delivery": "ImageVolume", "languages": ["sdk"]}, (1, 35), None),
        ({}, (1, 35), None),
    ],
)
def test_a_delivery_that_the_server_lacks_is_said(given: dict[str, Any], version: tuple[int, int] | None, said: str | None) -> None:
    found = undeliverable(policy({"injection": given}), version)
    assert (said is None and found is None) or (found is not None and str(said) in found)


@pytest.mark.parametrize(
    ("spend", "status", "reason"),
    [
        (Spend(problem=AWAY), Status.UNKNOWN, Reason.PROMETHEUS_UNREACHABLE),
        (Spend(ages={"n": 3600.0}), Status.TRUE, Reason.SERIES_FOUND),
        (Spend(ages={"n": 90000.0}), Status.FALSE, Reason.NO_SERIES),
        (Spend(ages={"other": 1.0}), Status.FALSE, Reason.NO_SERIES),
        (Spend(alive=False), Status.UNKNOWN, Reason.NO_SERIES),
    ],
)
def test_telemetry_flows_when_a_call_arrived_within_a_day(spend: Spend, status: Status, reason: Reason) -> None:
    found = telemetry(policy(), Pods(injected=1), spend)
    assert (found.status, found.reason) == (status, reason)


EXTERNAL = {"collector": {"mode": "External", "endpoint": "http://agent.n.svc:4318"}}


def test_what_goes_elsewhere_is_said_not_to_be_seen() -> None:
    outside = policy({**EXTERNAL, "budgets": [{"name": "daily", "limitUSD": 10}]})
    found = telemetry(outside, Pods(injected=1), Spend(ages={"n": 1.0}))
    assert (found.status, found.reason) == (Status.UNKNOWN, Reason.EXTERNAL_ENDPOINT)
    assert "http://agent.n.svc:4318" in found.message

    money = within(budgets(outside, Spend()), Spend(), unseen=elsewhere(outside))
    assert (money.status, money.reason) == (Status.UNKNOWN, Reason.EXTERNAL_ENDPOINT)
    assert elsewhere(policy()) is None


METERED = {"collector": {"source": "Metrics"}}


def test_money_from_metrics_is_said_to_be_an_estimate() -> None:
    counted = policy({**METERED, "budgets": [{"name": "daily", "limitUSD": 10}]})
    flowing = telemetry(counted, Pods(injected=1), Spend(ages={"n": 1.0}))
    silent = telemetry(counted, Pods(injected=1), Spend())
    spent = Spend(budgets={("n", counted.identity.name, "daily"): 5.0})

    assert "the money is an estimate" in flowing.message
    assert "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is delta" in silent.message
    assert "the money is an estimate" in within(budgets(counted, spent), spent, estimated=True).message
    assert "estimate" not in within(budgets(counted, spent), spent).message
    assert "estimate" not in within((), spent, estimated=True).message


def test_a_gateway_that_is_not_used_does_not_count() -> None:
    shared = (judged(ConditionType.COLLECTOR_READY, Status.FALSE), judged(ConditionType.RULES_READY))

    assert gateway(policy(), shared) == shared
    own, rest = gateway(policy(EXTERNAL), shared)
    assert (own.type, own.status, own.reason) == (ConditionType.COLLECTOR_READY, Status.TRUE, Reason.EXTERNAL_ENDPOINT)
    assert rest is shared[1]
    running = judged(ConditionType.COLLECTOR_READY, Status.UNKNOWN)
    assert gateway(policy({"collector": {"mode": "Dedicated"}}), shared, running) == (running, shared[1])


@pytest.mark.parametrize(
    ("amount", "state", "status", "reason"),
    [
        (0.0, "Within", Status.TRUE, Reason.WITHIN_BUDGET),
        (4.99, "Within", Status.TRUE, Reason.WITHIN_BUDGET),
        (5.0, "Warning", Status.TRUE, Reason.BUDGET_WARNING),
        (9.99, "Warning", Status.TRUE, Reason.BUDGET_WARNING),
        (10.0, "Exceeded", Status.FALSE, Reason.BUDGET_EXCEEDED),
    ],
)
def test_a_budget_warns_at_its_share_and_is_exceeded_at_its_limit(amount: float, state: str, status: Status, reason: Reason) -> None:
    [standing] = budgets(DAILY, spent(amount))
    assert standing.state.value == state
    found = within([standing], spent(amount))
    assert (found.status, found.reason) == (status, reason)


def test_a_budget_of_which_nothing_is_known_says_why() -> None:
    standing = budgets(DAILY, Spend(problem=AWAY))
    assert standing[0].spent_usd is None
    assert within(standing, Spend(problem=AWAY)).reason is Reason.PROMETHEUS_UNREACHABLE
    assert within(standing, Spend()).reason is Reason.NO_SERIES
    assert within((), Spend()).reason is Reason.NO_BUDGET


def test_restrictions_come_before_shadows() -> None:
    restricted = replace(policy(), restrictions=("a is lowered", "b is lowered"))
    found = accepted(restricted, Pods(elsewhere=("n/q",)))
    assert (found.reason, found.message) == (Reason.RESTRICTED, "a is lowered; b is lowered")
    assert accepted(policy(), Pods(elsewhere=("n/q",))).reason is Reason.SHADOWED
    assert accepted(policy(), Pods()).reason is Reason.ACCEPTED


def test_of_several_findings_on_one_condition_the_worst_counts_and_of_equals_the_first() -> None:
    rules = ConditionType.RULES_READY
    found = worst([judged(rules, message="first"), judged(rules, message="second")])
    assert found[rules].message == "first"
    found = worst([judged(rules), judged(rules, Status.FALSE), judged(rules, Status.UNKNOWN)])
    assert found[rules].status is Status.FALSE


def test_ready_says_what_is_missing() -> None:
    good, bad = judged(ConditionType.ACCEPTED), judged(ConditionType.COLLECTOR_READY, Status.FALSE, "it does not start")
    unknown = judged(ConditionType.RULES_READY, Status.UNKNOWN, "no operator")
    assert ready([good]).status is Status.TRUE
    assert ready([good, unknown]).status is Status.UNKNOWN
    found = ready([good, unknown, bad])
    assert (found.status, found.message) == (Status.FALSE, "CollectorReady: it does not start")


def test_ready_is_not_about_money_or_traffic() -> None:
    assert (
        ready([judged(ConditionType.WITHIN_BUDGET, Status.FALSE), judged(ConditionType.TELEMETRY_FLOWING, Status.FALSE)]).status
        is Status.TRUE
    )


def old(status: str = "True", kind: str = "Accepted") -> dict[str, Any]:
    item = {"type": kind, "status": status, "reason": "X", "message": "old", "observedGeneration": 1, "lastTransitionTime": THEN}
    return {"conditions": [item]}


def test_a_condition_keeps_its_time_until_its_status_changes() -> None:
    def time(status: str) -> str:
        found = conditions(old(status), [judged(ConditionType.ACCEPTED)], generation=2, now=NOW)
        return next(item.last_transition_time for item in found if item.type == "Accepted")

    assert time("True") == THEN
    assert time("False") == NOW


def test_a_condition_that_nobody_judged_stays_and_counts() -> None:
    found = conditions(old("False", "CollectorReady"), [judged(ConditionType.ACCEPTED)], generation=2, now=NOW)
    kinds = {item.type: item for item in found}
    assert (kinds["CollectorReady"].message, kinds["CollectorReady"].observed_generation) == ("old", 1)
    assert kinds["Ready"].status == "False"


def status(previous: dict[str, Any], spend: Spend, pods: Pods | None = None, *, now: str = NOW) -> dict[str, Any]:
    return policy_status(previous, [judged(ConditionType.ACCEPTED)], generation=2, now=now, policy=DAILY, pods=pods or Pods(), spend=spend)


def test_the_status_has_what_kubectl_shows() -> None:
    skipped = (SkippedPods(reason="HostNetwork", count=2, example="a"),)
    made = status({}, spent(4.0), Pods(matched=14, injected=12, outdated=1, skipped=skipped))
    assert made["injected"] == "12/14"
    assert made["pods"] == {"matched": 14, "injected": 12, "outdated": 1, "skipped": 2}
    assert made["skipped"] == [{"reason": "HostNetwork", "count": 2, "example": "a"}]
    assert made["budgets"] == [{"name": "daily", "period": "Day", "limitUSD": 10.0, "spentUSD": 4.0, "used": 0.4, "state": "Within"}]
    assert (made["budget"], made["state"]) == ("4.00 of 10.00 USD (Day)", "Within")
    assert made["spend"] == {"monthToDateUSD": 20.0, "at": NOW}
    assert made["observedGeneration"] == 2


def test_money_that_hardly_moved_is_not_worth_a_write() -> None:
    before = status({}, spent(4.0, at=THEN))
    assert status(before, spent(4.03), now=NOW) == before
    assert status(before, spent(4.05))["budgets"][0]["spentUSD"] == 4.05
    assert status(before, spent(4.0, month=21.0))["spend"] == {"monthToDateUSD": 21.0, "at": NOW}


def test_a_changed_state_or_pod_is_worth_a_write_however_small_the_amount() -> None:
    before = status({}, spent(4.99, at=THEN))
    assert status(before, spent(5.0))["state"] == "Warning"
    assert status(before, spent(4.99), Pods(matched=1))["pods"]["matched"] == 1
    assert status(before, spent(4.99), Pods(matched=1))["spend"]["at"] == NOW


def test_the_first_cent_is_worth_a_write() -> None:
    before = status({}, spent(0.0, month=0.0, at=THEN))
    assert status(before, spent(0.001, month=0.001))["spend"]["monthToDateUSD"] == 0.001


def test_money_that_is_no_longer_known_is_not_shown() -> None:
    made = status(status({}, spent(4.0)), Spend(problem=AWAY))
    assert "spend" not in made
    assert "budget" not in made
    assert made["budgets"] == [{"name": "daily", "period": "Day", "limitUSD": 10.0, "state": "Unknown"}]


def test_a_refused_spec_changes_the_verdict_and_nothing_else() -> None:
    before = status({}, spent(4.0))
    verdict = Finding(ConditionType.ACCEPTED, Status.FALSE, Reason.INVALID, "spec.x: wrong")
    made = refused_status(before, verdict, generation=3, now=NOW)
    assert {key: made[key] for key in ("budgets", "spend", "pods")} == {key: before[key] for key in ("budgets", "spend", "pods")}
    assert made["observedGeneration"] == 3
    verdicts = {item["type"]: (item["status"], item["reason"]) for item in made["conditions"]}
    assert verdicts["Accepted"] == ("False", "Invalid")
    assert verdicts["Ready"] == ("False", "NotReady")


@pytest.mark.parametrize(
    ("dollars", "said"), [(2.235, "2.24"), (2.2350000000000008, "2.24"), (2.2349, "2.23"), (0.0, "0.00"), (1e6, "1000000.00")]
)
def test_half_a_cent_is_rounded_up(dollars: float, said: str) -> None:
    assert cents(dollars) == said
