"""A namespace's own value wins over the fleet's default, and the fleet's ceiling over both."""

from __future__ import annotations

from typing import Any

import pytest
from llmobs.api.effective import Fleet, fleet, fleet_for, overlay, policy, stand_in
from llmobs.api.v1alpha1.collector import CollectorMode, Source
from llmobs.api.v1alpha1.content import Capture
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.kit.errors import Invalid


def made(name: str, **spec: Any) -> Fleet:
    return fleet({"metadata": {"name": name}, "spec": spec})


def body(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "chat", "namespace": "team"}, "spec": spec}


DESTINATION = {"name": "langfuse", "otlp": {"endpoint": "https://langfuse.example.com"}}


def test_without_a_fleet_nothing_may_be_captured() -> None:
    found = policy(body(content={"capture": "Full"}), [], {})

    assert found.spec.content.capture is Capture.NONE
    assert "lowered to None" in found.restrictions[0]


def test_the_ceiling_allows_up_to_itself() -> None:
    found = policy(body(content={"capture": "Full"}), [made("f", limits={"content": {"maxCapture": "Full"}})], {})

    assert found.spec.content.capture is Capture.FULL
    assert found.restrictions == ()


LEVELS = ("None", "Hash", "Masked", "Full")


@pytest.mark.parametrize("ceiling", LEVELS)
@pytest.mark.parametrize("asked", LEVELS)
def test_a_level_is_lowered_to_the_ceiling_and_never_raised(asked: str, ceiling: str) -> None:
    found = policy(body(content={"capture": asked}), [made("f", limits={"content": {"maxCapture": ceiling}})], {})

    assert found.spec.content.capture.value == min(asked, ceiling, key=LEVELS.index)
    assert bool(found.restrictions) == (LEVELS.index(asked) > LEVELS.index(ceiling))


@pytest.mark.parametrize("asked", ["Hash", "Masked"])
def test_in_a_pod_there_is_no_key_to_hash_with(asked: str) -> None:
    limits = {"content": {"maxCapture": "Hash"}}
    found = policy(body(content={"capture": asked}, collector={"mode": "Sidecar"}), [made("f", limits=limits)], {})

    assert found.spec.content.capture is Capture.NONE
    assert "counts as None with collector.mode Sidecar" in found.restrictions[-1]


def test_the_share_of_traces_is_lowered_and_said() -> None:
    limits = {"content": {"maxCapture": "Masked", "maxSampleRatio": 0.1}}
    found = policy(body(content={"capture": "Full", "sampleRatio": 0.5}), [made("f", limits=limits)], {})

    assert (found.spec.content.capture, found.spec.content.sample_ratio) == (Capture.MASKED, 0.1)
    assert "content.capture Full is lowered to Masked" in found.restrictions[0]
    assert "content.sampleRatio 0.5 is lowered to 0.1" in found.restrictions[1]


def test_of_a_share_nothing_is_said_where_nothing_is_captured() -> None:
    found = policy(body(content={"capture": "None"}), [made("f", limits={"content": {"maxSampleRatio": 0.1}})], {})

    assert found.restrictions == ()


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", "(?<!a)b", r"(a)\1", "a*+", "(?>a)", "(", "a*", "", "a{2000}", r"(?P<x>a)(?P=x)", "x" * 257, r"a\Z"]
)
def test_a_pattern_that_can_run_away_or_is_none_is_refused_at_the_field(pattern: str) -> None:
    with pytest.raises(Invalid) as caught:
        policy(body(content={"maskPatterns": [{"name": "p", "pattern": pattern}]}), [], {})

    assert caught.value.path == "spec.content.maskPatterns[0].pattern"


@pytest.mark.parametrize("pattern", ["S-[0-9]{6}", r"\bAKIA[A-Z0-9]{16}\b", "(?i)secret-[a-z]+", r"(?P<name>x)y", r"a\\b", "a+?"])
def test_a_pattern_of_re2_is_taken(pattern: str) -> None:
    found = policy(body(content={"maskPatterns": [{"name": "p", "pattern": pattern}]}), [], {})

    assert found.spec.content.mask_patterns[0].pattern == pattern


def test_a_default_is_under_the_ceiling_too() -> None:
    found = policy(body(), [made("f", defaults={"content": {"capture": "Full"}})], {})

    assert found.spec.content.capture is Capture.NONE


def test_own_values_win_by_key_and_lists_as_a_whole() -> None:
    defaults = {
        "attributes": {"team": "fleet", "environment": "prod"},
        "injection": {"mode": "OptIn"},
        "budgets": [{"name": "a", "limitUSD": 1}],
    }
    found = policy(body(attributes={"team": "own"}, budgets=[{"name": "b", "limitUSD": 2}]), [made("f", defaults=defaults)], {})

    assert dict(found.spec.attributes) == {"team": "own", "environment": "prod"}
    assert found.spec.injection.mode is InjectionMode.OPT_IN
    assert [budget.name for budget in found.spec.budgets] == ["b"]


@pytest.mark.parametrize(
    ("fleets", "labels", "winner"),
    [
        ([("b", 0, {}), ("a", 0, {})], {}, "a"),
        ([("a", 0, {}), ("b", 5, {})], {}, "b"),
        ([("a", 9, {"tier": "gold"}), ("b", 0, {})], {}, "b"),
        ([("a", 9, {"tier": "gold"}), ("b", 0, {})], {"tier": "gold"}, "a"),
        ([("a", 0, {"tier": "gold"})], {}, None),
    ],
)
def test_highest_priority_then_first_name(fleets: list[Any], labels: dict[str, str], winner: str | None) -> None:
    every = [made(name, priority=priority, namespaceSelector={"matchLabels": wanted}) for name, priority, wanted in fleets]

    found = fleet_for(every, labels)

    assert (found.identity.name if found else None) == winner


@pytest.mark.parametrize(
    ("spec", "labels", "allowed"),
    [
        ({"destinations": [DESTINATION]}, {}, True),
        ({"destinations": [{**DESTINATION, "allowedNamespaces": {"matchLabels": {"pii": "no"}}}]}, {}, False),
        ({"destinations": [{**DESTINATION, "allowedNamespaces": {"matchLabels": {"pii": "no"}}}]}, {"pii": "no"}, True),
        ({"destinations": [DESTINATION], "limits": {"destinations": []}}, {}, False),
        ({"destinations": [DESTINATION], "limits": {"destinations": ["langfuse"]}}, {}, True),
        ({}, {}, False),
    ],
)
def test_destinations(spec: dict[str, Any], labels: dict[str, str], allowed: bool) -> None:
    asked = body(backends=[{"name": "team", "destination": "langfuse"}])
    if allowed:
        assert [d.name for d in policy(asked, [made("f", **spec)], labels).destinations] == ["langfuse"]
        return
    with pytest.raises(Invalid) as caught:
        policy(asked, [made("f", **spec)], labels)

    assert caught.value.path == "spec.backends[0].destination"
    assert "it may use: none" in caught.value.message


def test_a_name_is_required() -> None:
    with pytest.raises(Invalid) as caught:
        policy({"metadata": {}, "spec": {}}, [], {})

    assert caught.value.path == "metadata.name"


def test_overlay_keeps_falsehoods() -> None:
    assert overlay({"a": {"x": True}, "b": 1}, {"a": {"x": False}, "b": None}) == {"a": {"x": False}, "b": 1}


AGENT = "http://agent.team.svc:4318"
EXTERNAL = {"mode": "External", "endpoint": AGENT}


def test_a_mode_that_is_not_offered_becomes_the_first_that_is() -> None:
    found = policy(body(collector=EXTERNAL), [made("f", limits={"collectorModes": ["Shared"]})], {})

    assert (found.spec.collector.mode, found.spec.collector.endpoint) == (CollectorMode.SHARED, None)
    assert found.restrictions == ("collector.mode External is not offered and becomes Shared (ClusterLLMObservability f)",)
    assert policy(body(collector=EXTERNAL), [made("f", limits={"collectorModes": ["Shared", "External"]})], {}).restrictions == ()


def test_calls_are_counted_from_what_another_mode_can_take() -> None:
    metered = body(collector={"mode": "Dedicated", "source": "Metrics"})
    shared, inside = (policy(metered, [made("f", limits={"collectorModes": [mode]})], {}) for mode in ("Shared", "Sidecar"))

    assert shared.spec.collector.source is Source.METRICS
    assert inside.spec.collector.source is Source.TRACES
    assert inside.restrictions[-1] == "collector.source Metrics becomes Traces, because that mode takes no metrics"


def test_a_namespaces_collector_replaces_the_default_as_a_whole() -> None:
    fleets = [made("f", defaults={"collector": EXTERNAL})]

    assert policy(body(), fleets, {}).spec.collector.endpoint == AGENT
    assert policy(body(collector={"mode": "Shared"}), fleets, {}).spec.collector.endpoint is None


def test_default_backends_are_not_for_what_goes_elsewhere() -> None:
    fleets = [made("f", defaults={"backends": [{"name": "team", "destination": "langfuse"}]}, destinations=[DESTINATION])]

    assert policy(body(), fleets, {}).spec.backends
    assert policy(body(collector=EXTERNAL), fleets, {}).spec.backends == ()


@pytest.mark.parametrize(
    ("spec", "path", "said"),
    [
        ({"collector": {"mode": "External"}}, "spec.collector.endpoint", "needs an endpoint"),
        ({"collector": {"endpoint": AGENT}}, "spec.collector.endpoint", "is for mode External"),
        ({"collector": {**EXTERNAL, "source": "Metrics"}}, "spec.collector.source", "the mode is Shared or Dedicated"),
        ({"collector": {"mode": "Sidecar", "source": "Metrics"}}, "spec.collector.source", "the mode is Shared or Dedicated"),
        ({"collector": {**EXTERNAL, "endpoint": "http://x.example.com"}}, "spec.collector.endpoint", "clear text"),
        ({"collector": {**EXTERNAL, "endpoint": f"{AGENT}/v1/traces"}}, "spec.collector.endpoint", "/v1/traces is appended"),
        ({"collector": EXTERNAL, "backends": [{"name": "a", "otlp": {"endpoint": AGENT}}]}, "spec.backends", "remove the backends"),
    ],
)
def test_a_collector_that_cannot_be(spec: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        policy(body(**spec), [], {})

    assert caught.value.path == path
    assert said in caught.value.message


def test_a_limit_cannot_send_everybody_to_an_endpoint_of_nobody() -> None:
    with pytest.raises(Invalid) as caught:
        made("f", limits={"collectorModes": ["External", "Shared"]})

    assert caught.value.path == "spec.limits.collectorModes"


SECRET = {"name": "own", "otlp": {"endpoint": "https://x.example.com", "credentialsSecretRef": {"name": "mine"}}}


def test_a_secret_of_the_namespace_needs_a_gateway_of_its_own() -> None:
    assert policy(body(collector={"mode": "Dedicated"}, backends=[SECRET]), [], {}).spec.backends[0].secret is not None
    with pytest.raises(Invalid, match=r"spec\.backends: a Secret of the namespace needs collector\.mode Dedicated"):
        policy(body(backends=[SECRET]), [], {})


def test_where_dedicated_is_not_offered_backends_with_a_secret_are_left_out() -> None:
    plain = {"name": "plain", "otlp": {"endpoint": "https://y.example.com"}}
    asked = body(collector={"mode": "Dedicated"}, backends=[SECRET, plain])
    found = policy(asked, [made("f", limits={"collectorModes": ["Shared"]})], {})

    assert [item.name for item in found.spec.backends] == ["plain"]
    assert "backends of its own with a Secret or for series are left out" in found.restrictions[1]


def test_a_gateway_of_its_own_gets_no_credential_of_the_platform() -> None:
    vault = {"name": "langfuse", "otlp": {**DESTINATION["otlp"], "credentialsSecretRef": {"name": "s"}}}
    with pytest.raises(Invalid) as caught:
        policy(
            body(collector={"mode": "Dedicated"}, backends=[{"name": "team", "destination": "langfuse"}]),
            [made("f", destinations=[vault])],
            {},
        )

    assert caught.value.path == "spec.backends[0].destination"
    assert "has a credential of the platform" in caught.value.message


def test_without_a_policy_of_its_own_a_namespace_has_no_gateway_of_its_own() -> None:
    plain = {"name": "plain", "otlp": {"endpoint": "https://y.example.com"}}
    defaults = {"collector": {"mode": "Dedicated"}, "backends": [SECRET, plain]}
    found = stand_in("team", [made("f", defaults=defaults, withoutPolicy="Apply")], {})

    assert found is not None
    assert found.spec.collector.mode is CollectorMode.SHARED
    assert [item.name for item in found.spec.backends] == ["plain"]
