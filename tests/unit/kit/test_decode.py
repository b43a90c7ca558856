"""Bad input is refused at its path with a cure; good input arrives typed."""

from __future__ import annotations

import math
from typing import Any

import pytest
from llmobs.api.v1alpha1.budgets import Budget, Period
from llmobs.api.v1alpha1.content import Capture
from llmobs.api.v1alpha1.fleet import ClusterLLMObservabilitySpec
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.api.v1alpha1.observability import LLMObservabilitySpec
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.kit.decode import camel, decode
from llmobs.kit.errors import Invalid

OTLP = {"endpoint": "https://otlp.example.com"}

REFUSED: dict[str, tuple[type, Any, str, str]] = {
    "a list where an object belongs": (LLMObservabilitySpec, [], "spec", "must be an object, not a list"),
    "a misspelt field is named with its neighbour": (LLMObservabilitySpec, {"budget": []}, "spec.budget", "did you mean budgets"),
    "a field of nothing known": (LLMObservabilitySpec, {"zzz": 1}, "spec.zzz", "known are"),
    "an enum in the wrong case": (LLMObservabilitySpec, {"injection": {"mode": "auto"}}, "spec.injection.mode", "did you mean Auto"),
    "an enum read by YAML as a boolean": (LLMObservabilitySpec, {"injection": {"mode": False}}, "spec.injection.mode", "must be one of"),
    "a budget of nothing": (LLMObservabilitySpec, {"budgets": [{"name": "a", "limitUSD": 0}]}, "spec.budgets[0].limitUSD", "more than 0"),
    "a budget of NaN": (LLMObservabilitySpec, {"budgets": [{"name": "a", "limitUSD": math.nan}]}, "spec.budgets[0].limitUSD", "finite"),
    "a budget in words": (LLMObservabilitySpec, {"budgets": [{"name": "a", "limitUSD": "5"}]}, "spec.budgets[0].limitUSD", "a number"),
    "a boolean is no number": (
        LLMObservabilitySpec,
        {"budgets": [{"name": "a", "limitUSD": True}]},
        "spec.budgets[0].limitUSD",
        "a number",
    ),
    "a budget without a name": (LLMObservabilitySpec, {"budgets": [{"limitUSD": 1}]}, "spec.budgets[0].name", "is required"),
    "two budgets of one name": (
        LLMObservabilitySpec,
        {"budgets": [{"name": "a", "limitUSD": 1}, {"name": "a", "limitUSD": 2}]},
        "spec.budgets[1]",
        "already used by spec.budgets[0]",
    ),
    "a share above one": (
        LLMObservabilitySpec,
        {"budgets": [{"name": "a", "limitUSD": 1, "warnAt": [0.5, 80]}]},
        "spec.budgets[0].warnAt[1]",
        "at most 1",
    ),
    "two indicators": (
        LLMObservabilitySpec,
        {"objectives": [{"name": "a", "availability": {"target": 0.9}, "latency": {"target": 0.9, "threshold": "5s"}}]},
        "spec.objectives[0]",
        "only one of",
    ),
    "no indicator": (LLMObservabilitySpec, {"objectives": [{"name": "a"}]}, "spec.objectives[0]", "set one of availability, latency"),
    "a threshold that is no duration": (
        LLMObservabilitySpec,
        {"objectives": [{"name": "a", "latency": {"target": 0.9, "threshold": "fast"}}]},
        "spec.objectives[0].latency.threshold",
        "does not match",
    ),
    "a threshold of nothing": (
        LLMObservabilitySpec,
        {"objectives": [{"name": "a", "latency": {"target": 0.9, "threshold": "0s"}}]},
        "spec.objectives[0].latency.threshold",
        "between 10ms and 1h",
    ),
    "a backend that is both": (
        LLMObservabilitySpec,
        {"backends": [{"name": "a", "destination": "b", "otlp": OTLP}]},
        "spec.backends[0]",
        "set destination or exactly one of",
    ),
    "a backend that is neither": (LLMObservabilitySpec, {"backends": [{"name": "a"}]}, "spec.backends[0]", "set destination or"),
    "a URL with the path the collector appends": (
        LLMObservabilitySpec,
        {"backends": [{"name": "a", "otlp": {"endpoint": "https://x.example.com/v1/traces"}}]},
        "spec.backends[0].otlp.endpoint",
        "give the base URL",
    ),
    "clear text to the world": (
        LLMObservabilitySpec,
        {"backends": [{"name": "a", "otlp": {"endpoint": "http://x.example.com"}}]},
        "spec.backends[0].otlp.endpoint",
        "insecure: true",
    ),
    "a namespace's own secret in shared mode": (
        LLMObservabilitySpec,
        {"backends": [{"name": "a", "otlp": {**OTLP, "credentialsSecretRef": {"name": "x"}}}]},
        "spec.backends",
        "ask the platform for a destination",
    ),
    "In without values": (
        LLMObservabilitySpec,
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        "spec.selector.matchExpressions[0].values",
        "In and NotIn need values",
    ),
    "an attribute of the platform": (LLMObservabilitySpec, {"attributes": {"k8s.pod.name": "x"}}, "spec.attributes", "the platform's own"),
    "a variable that follows from other fields": (
        LLMObservabilitySpec,
        {"injection": {"env": [{"name": "LLMOBS_CONTENT", "value": "Full"}]}},
        "spec.injection.env[0].name",
        "follows from other fields",
    ),
    "a label that is a number": (LLMObservabilitySpec, {"attributes": {"team": 7}}, "spec.attributes['team']", "a string"),
    "a bad default of the fleet": (
        ClusterLLMObservabilitySpec,
        {"defaults": {"content": {"capture": "All"}}},
        "spec.defaults.content.capture",
        "must be one of None, Hash, Masked, Full",
    ),
    "a price below zero": (
        LLMPriceListSpec,
        {"prices": [{"model": "m", "inputPerMillion": -1, "outputPerMillion": 1}]},
        "spec.prices[0].inputPerMillion",
        "at least 0",
    ),
    "one price twice": (
        LLMPriceListSpec,
        {
            "prices": [
                {"model": "m", "inputPerMillion": 1, "outputPerMillion": 1},
                {"model": "m", "inputPerMillion": 2, "outputPerMillion": 1},
            ]
        },
        "spec.prices[1]",
        "already used by spec.prices[0]",
    ),
    "a tier's price for every call": (
        LLMPriceListSpec,
        {"prices": [{"model": "m", "inputPerMillion": 1, "outputPerMillion": 1, "tiers": [{"inputPerMillion": 1, "outputPerMillion": 1}]}]},
        "spec.prices[0].tiers[0].tier",
        "name a tier other than Standard",
    ),
    "a long context without a bound": (
        LLMPriceListSpec,
        {
            "prices": [
                {
                    "model": "m",
                    "inputPerMillion": 1,
                    "outputPerMillion": 1,
                    "tiers": [{"longContext": True, "inputPerMillion": 1, "outputPerMillion": 1}],
                }
            ]
        },
        "spec.prices[0].longContextAbove",
        "say beyond how many input tokens",
    ),
    "an alias to itself": (LLMPriceListSpec, {"aliases": [{"from": "a", "to": "a"}]}, "spec.aliases[0].to", "another name"),
}


@pytest.mark.parametrize(("cls", "data", "path", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(cls: type, data: Any, path: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        decode(cls, data, "spec")

    assert caught.value.path == path
    assert message in caught.value.message


def test_an_empty_spec_is_useful() -> None:
    spec = decode(LLMObservabilitySpec, {}, "spec")

    assert spec.injection.mode is InjectionMode.AUTO
    assert spec.content.capture is Capture.NONE
    assert spec.selector.matches({"anything": "goes"})


def test_numbers_words_and_lists_arrive_typed() -> None:
    budget = decode(Budget, {"name": "daily", "period": "Day", "limitUSD": 5, "match": {"agent": "researcher"}}, "budget")

    assert (budget.period, budget.limit_usd, budget.warn_at) == (Period.DAY, 5.0, (0.8,))
    assert isinstance(budget.limit_usd, float)
    assert budget.match.agent == "researcher"


def test_null_means_absent() -> None:
    assert decode(LLMObservabilitySpec, {"injection": None}, "spec") == LLMObservabilitySpec()


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("limit_usd", "limitUSD"),
        ("warn_at", "warnAt"),
        ("from_", "from"),
        ("credentials_secret_ref", "credentialsSecretRef"),
        ("runbook_url", "runbookURL"),
    ],
)
def test_wire_names(name: str, wire: str) -> None:
    assert camel(name) == wire


@pytest.mark.parametrize(
    ("operator", "values", "labels", "holds"),
    [
        ("In", ["a", "b"], {"k": "b"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"k": "b"}, True),
        ("NotIn", ["a"], {}, True),
        ("NotIn", ["a"], {"k": "a"}, False),
        ("Exists", [], {"k": ""}, True),
        ("Exists", [], {}, False),
        ("DoesNotExist", [], {}, True),
        ("DoesNotExist", [], {"k": ""}, False),
    ],
)
def test_expressions_follow_kubernetes(operator: str, values: list[str], labels: dict[str, str], holds: bool) -> None:
    expression = {"key": "k", "operator": operator, **({"values": values} if values else {})}
    spec = decode(LLMObservabilitySpec, {"selector": {"matchExpressions": [expression]}}, "spec")

    assert spec.selector.matches(labels) is holds
