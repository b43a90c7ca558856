"""What the API server itself says about bad resources: each rule with its message, each word, each unknown field."""

from __future__ import annotations

import copy
import subprocess
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer, binary

pytestmark = pytest.mark.apiserver

POLICIES = "/apis/llmobs.dev/v1alpha1/namespaces/{}/llmobservabilities"
FLEETS = "/apis/llmobs.dev/v1alpha1/clusterllmobservabilities"
PRICES = "/apis/llmobs.dev/v1alpha1/llmpricelists"

FULL: dict[str, Any] = {
    "selector": {"matchLabels": {"app": "chat"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["web"]}]},
    "attributes": {"team": "payments"},
    "injection": {"mode": "OptIn", "containers": {"include": ["app"], "exclude": ["proxy"]}, "env": [{"name": "A", "value": "b"}]},
    "content": {
        "capture": "Masked",
        "sampleRatio": 0.5,
        "maxLength": 100,
        "mask": ["Email", "IPAddress"],
        "maskPatterns": [{"name": "staff", "pattern": r"\bS-[0-9]{6}\b"}],
        "userIds": "Drop",
    },
    "collector": {"mode": "Shared"},
    "sampling": {"ratio": 0.2, "keepErrors": False, "keepCostlierThanUSD": 0.5, "keepLongerThan": "30s"},
    "backends": [{"name": "own", "otlp": {"endpoint": "https://otlp.example.com"}}],
    "budgets": [{"name": "daily", "period": "Day", "limitUSD": 5, "warnAt": [0.5], "match": {"team": "payments"}}],
    "objectives": [
        {"name": "ok", "availability": {"target": 0.99}},
        {"name": "fast", "latency": {"target": 0.95, "threshold": "500ms"}},
    ],
    "alerts": {"labels": {"team": "payments"}, "disabled": []},
    "dashboards": {"delivery": "None"},
}

BAD_POLICIES: list[tuple[str, dict[str, Any], str]] = [
    ("mode", {"injection": {"mode": "Always"}}, 'spec.injection.mode: Unsupported value: "Always"'),
    ("capture", {"content": {"capture": "Everything"}}, 'spec.content.capture: Unsupported value: "Everything"'),
    ("share", {"content": {"sampleRatio": 2}}, "spec.content.sampleRatio"),
    ("mask", {"content": {"mask": ["Name"]}}, 'Unsupported value: "Name"'),
    ("looking ahead", {"content": {"maskPatterns": [{"name": "a", "pattern": "(?=a)b"}]}}, "spec.content.maskPatterns[0].pattern"),
    ("no pattern", {"content": {"maskPatterns": [{"name": "a", "pattern": "("}]}}, "spec.content.maskPatterns[0].pattern"),
    ("empty match", {"content": {"maskPatterns": [{"name": "a", "pattern": "a*"}]}}, "that does not match the empty text"),
    ("collector", {"collector": {"mode": "Sidekick"}}, 'spec.collector.mode: Unsupported value: "Sidekick"'),
    ("period", {"budgets": [{"name": "a", "period": "Year", "limitUSD": 1}]}, 'period: Unsupported value: "Year"'),
    ("delivery", {"dashboards": {"delivery": "Mail"}}, 'spec.dashboards.delivery: Unsupported value: "Mail"'),
    ("operator", {"selector": {"matchExpressions": [{"key": "a", "operator": "Is", "values": ["b"]}]}}, 'Unsupported value: "Is"'),
    ("limit", {"budgets": [{"name": "a", "limitUSD": 0}]}, "limitUSD: Invalid value: 0"),
    ("no limit", {"budgets": [{"name": "a"}]}, "limitUSD: Required value"),
    ("warnAt", {"budgets": [{"name": "a", "limitUSD": 1, "warnAt": [1.5]}]}, "should be less than or equal to 1"),
    ("budget name", {"budgets": [{"name": "No Good", "limitUSD": 1}]}, "spec.budgets[0].name"),
    ("same name", {"budgets": [{"name": "a", "limitUSD": 1}, {"name": "a", "limitUSD": 2}]}, "Duplicate value"),
    ("nameless agent", {"budgets": [{"name": "a", "limitUSD": 1, "match": {"agent": ""}}]}, "spec.budgets[0].match.agent"),
    ("expression", {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}}, "In and NotIn need values"),
    ("two of one", {"objectives": [{"name": "a", "availability": {"target": 0.9}, "latency": {"target": 0.9, "threshold": "1s"}}]}, "set "),
    ("none of one", {"objectives": [{"name": "a"}]}, "set "),
    ("target", {"objectives": [{"name": "a", "availability": {"target": 0.1}}]}, "should be greater than or equal to 0.5"),
    ("threshold", {"objectives": [{"name": "a", "latency": {"target": 0.9, "threshold": "1ms"}}]}, "must lie between 10ms and 1h"),
    ("no duration", {"objectives": [{"name": "a", "latency": {"target": 0.9, "threshold": "fast"}}]}, "threshold"),
    ("no backend", {"backends": [{"name": "a"}]}, "set destination or exactly one of braintrust"),
    (
        "both",
        {"backends": [{"name": "a", "destination": "x", "otlp": {"endpoint": "https://x"}}]},
        "set destination or exactly one of braintrust",
    ),
    ("endpoint path", {"backends": [{"name": "a", "otlp": {"endpoint": "https://x.example/v1/traces"}}]}, "give the base URL"),
    ("share", {"sampling": {"ratio": 1.5}}, "should be less than or equal to 1"),
    ("length", {"sampling": {"keepLongerThan": ""}}, "must be a duration such as 30s"),
    ("no address", {"backends": [{"name": "a", "otlp": {"endpoint": "https://user:word@x.example"}}]}, "spec.backends[0].otlp.endpoint"),
    ("external without", {"collector": {"mode": "External"}}, "External needs an endpoint"),
    ("endpoint without", {"collector": {"endpoint": "https://x.example"}}, "an endpoint is for mode External"),
    ("metrics elsewhere", {"collector": {"mode": "Sidecar", "source": "Metrics"}}, "the mode is Shared or Dedicated"),
    ("external path", {"collector": {"mode": "External", "endpoint": "https://x.example/v1/traces"}}, "/v1/traces is appended to it"),
    ("external in clear text", {"collector": {"mode": "External", "endpoint": "http://x.example.com"}}, "sends traces in clear text"),
    (
        "external and backends",
        {"collector": {"mode": "External", "endpoint": "https://x.example"}, "backends": [{"name": "a", "destination": "b"}]},
        "remove the backends",
    ),
    ("clear text", {"backends": [{"name": "a", "otlp": {"endpoint": "http://x.example.com"}}]}, "sends traces in clear text"),
    (
        "own secret",
        {"backends": [{"name": "a", "otlp": {"endpoint": "https://x.example", "credentialsSecretRef": {"name": "s"}}}]},
        "a Secret of the namespace needs collector.mode Dedicated",
    ),
]

BAD_FLEETS: list[tuple[str, dict[str, Any], str]] = [
    ("modes", {"limits": {"collectorModes": ["External"]}}, "put Shared first"),
    ("no mode", {"limits": {"collectorModes": []}}, "spec.limits.collectorModes"),
    ("priority", {"priority": 10**7}, "spec.priority"),
    ("capture", {"limits": {"content": {"maxCapture": "Some"}}}, 'Unsupported value: "Some"'),
    ("destination", {"destinations": [{"name": "a"}]}, "set "),
    ("same name", {"destinations": [{"name": "a", "otlp": {"endpoint": "https://x"}}] * 2}, "Duplicate value"),
]

RATES = {"inputPerMillion": 1, "outputPerMillion": 2}
PRICE = {"model": "m", **RATES}

BAD_PRICES: list[tuple[str, dict[str, Any], str]] = [
    ("negative", {"prices": [{"model": "m", "inputPerMillion": -1, "outputPerMillion": 1}]}, "inputPerMillion"),
    ("no output", {"prices": [{"model": "m", "inputPerMillion": 1}]}, "outputPerMillion: Required value"),
    ("currency", {"currency": "EUR"}, 'spec.currency: Unsupported value: "EUR"'),
    ("alias", {"aliases": [{"from": "a", "to": "a"}]}, "an alias must lead to another name"),
    ("tier", {"prices": [{**PRICE, "tiers": [{**RATES, "tier": "Cheap"}]}]}, 'tiers[0].tier: Unsupported value: "Cheap"'),
    ("tier of nothing", {"prices": [{**PRICE, "tiers": [RATES]}]}, "name a tier other than Standard"),
    ("same tier", {"prices": [{**PRICE, "tiers": [{**RATES, "tier": "Batch"}] * 2}]}, "Duplicate value"),
    ("no bound", {"prices": [{**PRICE, "tiers": [{**RATES, "longContext": True}]}]}, "say beyond how many input tokens"),
    ("bound of nothing", {"prices": [{**PRICE, "longContextAbove": 9}]}, "add one with longContext"),
]


def body(kind: str, spec: dict[str, Any], name: str = "bad") -> dict[str, Any]:
    return {"apiVersion": "llmobs.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def refused(server: ApiServer, path: str, made: dict[str, Any], message: str) -> None:
    status, answer = server.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", made)
    assert status == 422, answer
    assert message in answer["message"]


@pytest.mark.parametrize(("spec", "message"), [item[1:] for item in BAD_POLICIES], ids=[item[0] for item in BAD_POLICIES])
def test_a_bad_policy_is_refused_with_its_message(apiserver: ApiServer, namespace: str, spec: dict[str, Any], message: str) -> None:
    refused(apiserver, POLICIES.format(namespace), body("LLMObservability", spec), message)


@pytest.mark.parametrize(("spec", "message"), [item[1:] for item in BAD_FLEETS], ids=[item[0] for item in BAD_FLEETS])
def test_a_bad_fleet_resource_is_refused_with_its_message(apiserver: ApiServer, spec: dict[str, Any], message: str) -> None:
    refused(apiserver, FLEETS, body("ClusterLLMObservability", spec), message)


@pytest.mark.parametrize(("spec", "message"), [item[1:] for item in BAD_PRICES], ids=[item[0] for item in BAD_PRICES])
def test_a_bad_price_list_is_refused_with_its_message(apiserver: ApiServer, spec: dict[str, Any], message: str) -> None:
    refused(apiserver, PRICES, body("LLMPriceList", spec), message)


def test_a_long_list_of_prices_with_tiers_is_taken(apiserver: ApiServer) -> None:
    """The rules of a price cost the API server little enough for as many as a list may have."""
    every = [{"tier": tier, "longContext": long} for tier in ("Standard", "Batch", "Flex", "Priority", "Fast") for long in (False, True)]
    tiers = [{**RATES, **item} for item in every if item != every[0]]
    spec = {"prices": [{**PRICE, "model": f"m-{number}", "longContextAbove": 1000, "tiers": tiers} for number in range(1000)]}
    status, answer = apiserver.request("POST", f"{PRICES}?dryRun=All&fieldValidation=Strict", body("LLMPriceList", spec, "long"))
    assert status == 201, answer["message"]


def test_every_field_is_taken_and_kept(apiserver: ApiServer, namespace: str) -> None:
    path = POLICIES.format(namespace)
    status, answer = apiserver.request("POST", f"{path}?fieldValidation=Strict", body("LLMObservability", FULL, "full"))
    assert status == 201, answer
    assert answer["spec"] == FULL


def test_an_empty_spec_is_taken_and_only_the_documented_defaults_are_filled_in(apiserver: ApiServer, namespace: str) -> None:
    spec = {"budgets": [{"name": "a", "limitUSD": 1}]}
    status, answer = apiserver.request("POST", POLICIES.format(namespace), body("LLMObservability", spec, "plain"))
    assert status == 201, answer
    assert answer["spec"] == {"budgets": [{"name": "a", "limitUSD": 1, "period": "Month", "warnAt": [0.8]}]}
    status, answer = apiserver.request("POST", POLICIES.format(namespace), body("LLMObservability", {}, "empty"))
    assert (status, answer["spec"]) == (201, {})


PLACES = (
    ("injektion",),
    ("injection", "mod"),
    ("budgets", 0, "limit"),
    ("objectives", 1, "latency", "treshold"),
    ("backends", 0, "otlp", "url"),
)


@pytest.mark.parametrize("place", PLACES, ids=[str(item[-1]) for item in PLACES])
def test_an_unknown_field_is_refused_by_strict_decoding(apiserver: ApiServer, namespace: str, place: tuple[Any, ...]) -> None:
    spec: Any = copy.deepcopy(FULL)
    inner = spec
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = "x"
    status, answer = apiserver.request("POST", f"{POLICIES.format(namespace)}?fieldValidation=Strict", body("LLMObservability", spec))
    assert status == 400, answer
    assert f'unknown field "spec.{_dotted(place)}"' in answer["message"]


def _dotted(place: tuple[Any, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place).lstrip(".")


def test_kubectl_shows_what_counts(apiserver: ApiServer, namespace: str) -> None:
    path = f"{POLICIES.format(namespace)}/shown"
    apiserver.create(POLICIES.format(namespace), body("LLMObservability", {}, "shown"))
    condition = {"type": "Ready", "status": "True", "reason": "Ready", "message": "m", "lastTransitionTime": "2026-11-21T00:00:00Z"}
    status = {
        "conditions": [condition],
        "injected": "2/3",
        "budget": "0.83 of 5.00 USD (Day)",
        "state": "Within",
        "spend": {"monthToDateUSD": 0.83, "at": "2026-11-21T00:00:00Z"},
    }
    apiserver.merge(f"{path}/status", {"status": status})
    asked = [binary("kubectl"), f"--kubeconfig={apiserver.kubeconfig()}", "-n", namespace, "get", "llmobs"]
    shown = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    assert shown[0].split() == ["NAME", "READY", "INJECTED", "SPEND", "BUDGET", "STATE", "AGE"]
    assert shown[1].split()[:-1] == ["shown", "True", "2/3", "0.83", "0.83", "of", "5.00", "USD", "(Day)", "Within"]
