"""Rules as data: where they go, what they are called, what they leave out, what they refuse."""

import re
from dataclasses import replace
from typing import Any

import promql_parser
import pytest
from llmobs.api.conditions import ConditionType, Reason, Status
from llmobs.api.settings import Rules, Settings
from llmobs.api.v1alpha1.budgets import Period
from llmobs.catalogue.alert import Scope, alerts
from llmobs.kit.durations import seconds
from llmobs.kit.errors import Invalid
from llmobs.plan.collector import bare_config
from llmobs.plan.inputs import Facts
from llmobs.plan.rules import bare_groups, check, fleet, parts, policy_parts
from llmobs.plan.rules import policy as policy_rule
from llmobs.plan.rules.alerts import CAPS, burn
from llmobs.plan.rules.money import SPANS
from llmobs.plan.rules.objectives import measured
from llmobs.plan.rules.promql import plain, quote
from llmobs.plan.rules.series import Timing, within

from tests.rules.cases import FULL, golden
from tests.rules.promtool import inputs, policy


def rules(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for group in document["groups"] for rule in group["rules"]]


def unchecked(spec: dict[str, Any]) -> Any:
    """A policy that the API accepts and rules have not judged yet."""
    from llmobs.api.effective import policy as effective

    return effective({"metadata": {"name": "checkout", "namespace": "team-a"}, "spec": spec}, (), {})


def test_the_fleets_rule_stands_in_the_operators_namespace() -> None:
    made = fleet(replace(inputs(), facts=Facts(namespace="observability")))

    assert made["kind"] == "PrometheusRule"
    assert made["metadata"]["name"] == "llmobs-fleet"
    assert made["metadata"]["namespace"] == "observability"
    assert made["metadata"]["labels"]["llmobs.dev/owner"] == "fleet"
    assert 'up{namespace="observability"' in str(made)


def test_a_policys_rule_stands_in_its_namespace_and_is_owned_by_it() -> None:
    item = policy(name="search", namespace="team-b")
    made = policy_rule(inputs(item), item)

    assert (made["metadata"]["name"], made["metadata"]["namespace"]) == ("llmobs-search", "team-b")
    assert made["metadata"]["labels"]["llmobs.dev/owner"] == "uid-team-b-search"


def test_the_platforms_labels_are_on_every_rule_and_ours_win() -> None:
    settings = Settings(rules=Rules(labels={"release": "prometheus", "app.kubernetes.io/managed-by": "me"}))
    item = policy()
    given = replace(inputs(item), settings=settings)

    for made in (fleet(given), policy_rule(given, item)):
        assert made["metadata"]["labels"]["release"] == "prometheus"
        assert made["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "llm-observability-operator"


@pytest.mark.parametrize("known", [False, None])
def test_without_prometheus_operator_rules_are_skipped_with_a_cure(known: bool | None) -> None:
    item = policy()
    given = replace(inputs(item), facts=Facts(prometheus_operator=known))

    for part in (*parts(given), *policy_parts(given, item)):
        assert part.manifests == ()
        assert part.finding is not None
        assert (part.finding.type, part.finding.status) == (ConditionType.RULES_READY, Status.UNKNOWN)
        assert part.finding.reason is Reason.PROMETHEUS_OPERATOR_NOT_INSTALLED
        assert "Install prometheus-operator" in part.finding.message


def test_equal_inputs_make_equal_rules() -> None:
    assert fleet(golden()["full"]) == fleet(golden()["full"])


@pytest.mark.parametrize(("tile", "interval"), [("5m", "60s"), ("1m", "12s")])
def test_window_step_offset_and_interval_follow_the_tile(tile: str, interval: str) -> None:
    document = bare_groups(inputs(policy(FULL), tile=tile))
    text = str(document)

    assert {group["interval"] for group in document["groups"]} <= {interval, tile}
    assert f"llm_cost_usd_total[{tile}]" in text
    assert f"offset {tile})" in text
    assert f"[59m59s:{tile}]" in text
    other = {"5m": "1m", "1m": "5m"}[tile]
    assert f"total[{other}]" not in text
    assert f"s:{other}]" not in text


@pytest.mark.parametrize("name", golden())
def test_money_and_counts_never_go_through_increase_or_rate(name: str) -> None:
    for rule in rules(bare_groups(golden()[name])):
        for function, metric in re.findall(r"\b(increase|rate|irate|delta)\(([a-zA-Z_:]+)", rule["expr"]):
            assert metric.startswith(("otelcol_", "http_server_", "rpc_server_")), (function, rule)


@pytest.mark.parametrize("name", golden())
def test_every_expression_parses(name: str) -> None:
    for rule in rules(bare_groups(golden()[name])):
        promql_parser.parse(rule["expr"])


def test_no_alert_label_holds_a_value_and_no_alert_asks_for_a_top_few() -> None:
    for rule in rules(bare_groups(golden()["full"])):
        if "alert" in rule:
            assert "$value" not in str(rule["labels"])
            assert "topk" not in rule["expr"]


def test_alerts_link_to_runbook_and_dashboard() -> None:
    made = [rule for rule in rules(bare_groups(inputs(policy()))) if "alert" in rule]
    plain_links = Settings(rules=Rules(runbook_url="https://wiki.example/llm/"))
    bare = [rule for rule in rules(bare_groups(replace(inputs(), settings=plain_links))) if "alert" in rule]

    assert all(rule["annotations"]["dashboard_url"].startswith("https://grafana.example/d/") for rule in made)
    assert all(rule["annotations"]["runbook_url"] == f"https://wiki.example/llm/{rule['alert']}" for rule in bare)
    assert not any("dashboard_url" in rule["annotations"] for rule in bare)


def test_the_latency_thresholds_in_use_and_no_others_are_counted() -> None:
    document = bare_groups(golden()["two-policies"])
    tiles = [rule for rule in rules(document) if rule.get("record") == "llm:call_duration_seconds_bucket:tile"]

    assert len(tiles) == 1
    assert 'le=~"(5|61\\\\.5)(\\\\.0+)?|\\\\+Inf"' in tiles[0]["expr"]
    assert "llm_call_duration_seconds" not in str(bare_groups(golden()["empty"]))


THRESHOLDS = [
    *(("latency", "threshold", text) for text in ("10ms", "13ms", "333ms", "700ms", "1s", "2s700ms", "5s", "1m1s1ms", "60m")),
    ("timeToFirstToken", "threshold", "333ms"),
    ("retrievalLatency", "threshold", "1m1s1ms"),
    *(("tokensPerSecond", "atLeast", value) for value in (0.1, 0.3, 30, 33.5, 1 / 3, 99999.9, 100000)),
]


@pytest.mark.parametrize(("kind", "field", "threshold"), THRESHOLDS)
def test_the_gateway_has_a_bucket_that_ends_exactly_at_the_threshold(kind: str, field: str, threshold: Any) -> None:
    """Spelled otherwise, the alert would never find it and be silent for ever."""
    item = policy({"objectives": [{"name": "fast", kind: {"target": 0.9, field: threshold}}]})
    [(measure, [wanted])] = measured(inputs(item)).items()
    connectors = bare_config(inputs(item))["connectors"].values()
    defined = [made for connector in connectors for made in connector.get("spans", ())]
    [buckets] = [made["histogram"]["buckets"] for made in defined if made["name"] == measure.histogram.removesuffix("_seconds")]

    assert wanted in {plain(bound) for bound in buckets}
    assert buckets == sorted(buckets)
    assert re.fullmatch(r"[0-9.]+", wanted)


def test_a_policy_without_objectives_gets_availability_of_99_percent() -> None:
    targets = [rule for rule in rules(bare_groups(inputs(policy()))) if rule.get("record") == "llm_objective_target"]

    assert [(rule["expr"], rule["labels"]["objective"], rule["labels"]["sli"]) for rule in targets] == [
        ("vector(0.99)", "availability", "availability")
    ]


def test_the_same_warning_twice_is_one() -> None:
    item = policy({"budgets": [{"name": "m", "limitUSD": 5, "warnAt": [0.8, 0.80, 0.5]}]})
    warnings = [rule for rule in rules(bare_groups(inputs(item))) if rule.get("record") == "llm_budget_warn_ratio"]

    assert [rule["labels"]["warn_at"] for rule in warnings] == ["0.5", "0.8"]


def test_an_unknown_alert_is_refused_with_its_path_and_a_hint() -> None:
    with pytest.raises(Invalid) as caught:
        check(unchecked({"alerts": {"disabled": ["LLMBudgetExhausted", "LLMBudgetExausted"]}}))

    assert caught.value.path == "spec.alerts.disabled[1]"
    assert "did you mean LLMBudgetExhausted" in caught.value.message


def test_an_alert_of_the_platform_is_not_a_policys_to_disable() -> None:
    with pytest.raises(Invalid, match=r"spec\.alerts\.disabled\[0\]: LLMCollectorDown is about the platform"):
        check(unchecked({"alerts": {"disabled": ["LLMCollectorDown"]}}))


@pytest.mark.parametrize("name", ["severity", "namespace", "alertname", "__name__", "cost-center", "1st", "dashboard", "warn_at", ""])
def test_a_label_that_would_hide_or_break_an_alert_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        check(unchecked({"alerts": {"labels": {name: "x"}}}))

    assert caught.value.path.startswith("spec.alerts.labels[")


def test_every_alert_of_a_policy_can_be_disabled_and_labelled() -> None:
    names = [alert.name for alert in alerts() if alert.scope is Scope.POLICY]
    item = policy({"alerts": {"disabled": names, "labels": {"room": "4"}}})
    made = [rule for rule in rules(bare_groups(inputs(item))) if rule.get("alert") in names]

    assert {rule["alert"] for rule in made} == set(names)
    for rule in made:
        assert f'unless on (namespace, policy) llm_alert_disabled{{alertname="{rule["alert"]}"}}' in rule["expr"]
        assert "group_left (room) llm_policy_info" in rule["expr"]


@pytest.mark.parametrize("target", [0.5, 0.9, 0.95, 0.99, 0.99999])
@pytest.mark.parametrize("factor", [14.4, 6, 3, 1])
def test_a_burn_threshold_lies_between_the_error_budget_and_one(target: float, factor: float) -> None:
    allowed = 1 - target
    threshold = min(factor * allowed, 1 - CAPS[factor] * target) if factor in CAPS else factor * allowed

    assert allowed <= threshold < 1
    assert f"{factor:g} * (1 - " in burn("availability", "1h", "5m", factor)


@pytest.mark.parametrize(
    ("value", "text"), [(5.0, "5"), (0.5, "0.5"), (10.24, "10.24"), (0.1 + 0.2, "0.30000000000000004"), (1e12, "1000000000000")]
)
def test_numbers_are_written_as_prometheus_reads_them(value: float, text: str) -> None:
    assert plain(value) == text
    assert float(plain(value)) == value


def test_whatever_a_person_writes_stays_one_string() -> None:
    text = 'a"b\\c\n{{ $x }}[[ y ]]é'
    parsed: Any = promql_parser.parse(f"x{{a={quote(text)}}}")

    assert parsed.matchers.matchers[0].value == text


@pytest.mark.parametrize(
    ("window", "text"), [("5m", "4m59s"), ("30m", "29m59s"), ("1h", "59m59s"), ("6h", "5h59m59s"), ("1d", "23h59m59s"), ("3d", "71h59m59s")]
)
def test_a_subquery_range_is_a_second_short(window: str, text: str) -> None:
    assert within(window) == text


def test_a_period_is_looked_for_as_far_back_as_it_can_begin() -> None:
    """A complete day is read at the midnight after the next."""
    longest = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 31}

    assert all(seconds(SPANS[period]) >= (days + 1) * 86400 for period, days in longest.items())


def test_a_tile_is_five_evaluations() -> None:
    assert (Timing("5m").interval, Timing("1m").interval) == ("60s", "12s")


def test_new_series_count_only_when_prometheus_must_have_found_its_targets() -> None:
    assert Timing("5m", scrape="30s").settled == "360s"
    assert Timing("1m", scrape="5s").settled == "95s"
    assert "offset 360s" in str(bare_groups(inputs()))


def test_a_policy_of_the_fleets_name_in_the_operators_namespace_keeps_its_own_rule() -> None:
    namespace = Facts().namespace
    named = [policy(name=name, namespace=namespace) for name in ("fleet", "fleet.policy", "other")]
    made = [fleet(inputs(*named)), *(policy_rule(inputs(*named), item) for item in named)]

    assert len({item["metadata"]["name"] for item in made}) == len(made)
