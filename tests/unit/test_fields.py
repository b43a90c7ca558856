"""No field is documented and ignored: changing any field of any kind changes what is planned, injected, or refused.

Every leaf of every spec's schema must stand in one of the tables below, so a new field fails here until it is honoured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import msgspec
import pytest
from llmobs.api import effective
from llmobs.api.effective import Identity
from llmobs.api.kinds import FLEET, POLICY, PRICES
from llmobs.api.settings import Settings
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import decide
from llmobs.inject.pod import decode as decode_pod
from llmobs.inject.select import namespace
from llmobs.kit.crd import schema
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid
from llmobs.plan.build import check, fleet_parts, policy_parts
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import table

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "team", "labels": {"app": "a", "tier": "gold"}},
    "spec": {"containers": [{"name": "main", "image": "x"}, {"name": "side", "image": "y"}]},
}
LABELS = {"tier": "gold"}
OTLP = {"endpoint": "https://otlp.example.com"}
DESTINATION = {"name": "vault", "otlp": OTLP}
BUDGET = {"name": "b", "period": "Month", "limitUSD": 10}
LATENCY = {"name": "l", "latency": {"target": 0.9, "threshold": "5s"}}
UNPRICED = {"model": "acme-1", "inputPerMillion": 1, "outputPerMillion": 2}


def planned(spec: Mapping[str, Any], *fleets: Mapping[str, Any], prices: Mapping[str, Any] | None = None) -> str:
    """Everything that follows from a policy, fleet resources and a price list: manifests and the pod's patch, or the refusal."""
    try:
        governing = [effective.fleet({"metadata": {"name": f"f{index}"}, "spec": item}) for index, item in enumerate(fleets)]
        body = {"metadata": {"name": "chat", "namespace": "team", "uid": "u"}, "spec": spec}
        policy = effective.policy(body, governing, LABELS)
        check(policy)
        priced = table([(Identity("l"), decode(LLMPriceListSpec, prices or {}, "spec"))])
        if priced.refused:
            return f"refused: {priced.refused}"
    except Invalid as invalid:
        return f"refused: {invalid}"
    inputs = Inputs(
        settings=Settings(), facts=Facts(), prices=priced, policies=(policy,), fleets=tuple(governing), namespaces={"team": LABELS}
    )
    parts = [*fleet_parts(inputs), *policy_parts(inputs, policy)]
    pod = decode_pod(msgspec.json.encode(POD))
    decision = decide(pod, namespace("team", LABELS, [compiled(policy, Platform())]))
    return json.dumps([[part.manifests for part in parts], decision.reason.value, decision.operations, policy.restrictions], default=str)


Case = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The spec without and with the field changed."""


def budget(**changed: Any) -> Case:
    return {"budgets": [BUDGET]}, {"budgets": [{**BUDGET, **changed}]}


def objective(base: Mapping[str, Any], changed: Mapping[str, Any]) -> Case:
    return {"objectives": [base]}, {"objectives": [changed]}


def backend(**changed: Any) -> Case:
    return {"backends": [{"name": "t", "otlp": OTLP}]}, {"backends": [{"name": "t", "otlp": {**OTLP, **changed}}]}


def expression(**changed: Any) -> Case:
    base = {"key": "tier", "operator": "In", "values": ["gold"]}
    return {"selector": {"matchExpressions": [base]}}, {"selector": {"matchExpressions": [{**base, **changed}]}}


POLICY_FIELDS: dict[str, Case] = {
    "selector.matchLabels": ({}, {"selector": {"matchLabels": {"app": "other"}}}),
    "selector.matchExpressions[].key": expression(key="absent"),
    "selector.matchExpressions[].operator": expression(operator="NotIn"),
    "selector.matchExpressions[].values": expression(values=["silver"]),
    "attributes": ({}, {"attributes": {"team": "payments"}}),
    "injection.mode": ({}, {"injection": {"mode": "Disabled"}}),
    "injection.containers.include": ({}, {"injection": {"containers": {"include": ["main"]}}}),
    "injection.containers.exclude": ({}, {"injection": {"containers": {"exclude": ["side"]}}}),
    "injection.env[].name": ({"injection": {"env": [{"name": "A"}]}}, {"injection": {"env": [{"name": "B"}]}}),
    "injection.env[].value": ({"injection": {"env": [{"name": "A"}]}}, {"injection": {"env": [{"name": "A", "value": "v"}]}}),
    "content.capture": ({}, {"content": {"capture": "Full"}}),
    "collector.mode": ({}, {"collector": {"mode": "Dedicated"}}),
    "backends[].name": ({"backends": [{"name": "t", "otlp": OTLP}] * 2}, {"backends": [{"name": n, "otlp": OTLP} for n in ("t", "u")]}),
    "backends[].destination": ({}, {"backends": [{"name": "t", "destination": "vault"}]}),
    "backends[].otlp.endpoint": backend(endpoint="https://other.example.com"),
    "backends[].otlp.insecure": (
        {"backends": [{"name": "t", "otlp": {"endpoint": "http://otlp.example.com"}}]},
        {"backends": [{"name": "t", "otlp": {"endpoint": "http://otlp.example.com", "insecure": True}}]},
    ),
    "backends[].otlp.headers": backend(headers={"X-Scope-OrgID": "llm"}),
    "backends[].otlp.credentialsSecretRef.name": backend(credentialsSecretRef={"name": "s"}),
    "backends[].otlp.credentialsSecretRef.key": backend(credentialsSecretRef={"name": "s", "key": "k"}),
    "budgets[].name": budget(name="c"),
    "budgets[].period": budget(period="Day"),
    "budgets[].limitUSD": budget(limitUSD=11),
    "budgets[].warnAt": budget(warnAt=[0.5]),
    "budgets[].match.team": budget(match={"team": "x"}),
    "budgets[].match.feature": budget(match={"feature": "x"}),
    "budgets[].match.model": budget(match={"model": "gpt-4o"}),
    "budgets[].match.agent": budget(match={"agent": "x"}),
    "budgets[].match.workload": budget(match={"workload": "x"}),
    "objectives[].name": objective(LATENCY, {**LATENCY, "name": "m"}),
    "objectives[].availability.target": objective(
        {"name": "a", "availability": {"target": 0.9}}, {"name": "a", "availability": {"target": 0.95}}
    ),
    "objectives[].latency.target": objective(LATENCY, {"name": "l", "latency": {"target": 0.95, "threshold": "5s"}}),
    "objectives[].latency.threshold": objective(LATENCY, {"name": "l", "latency": {"target": 0.9, "threshold": "7s"}}),
    "alerts.labels": ({}, {"alerts": {"labels": {"route": "chat"}}}),
    "alerts.disabled": ({}, {"alerts": {"disabled": ["LLMLatencyBudgetBurn"]}}),
    "dashboards.delivery": ({}, {"dashboards": {"delivery": "None"}}),
}

ASKS = {"content": {"capture": "Full"}, "backends": [{"name": "t", "destination": "vault"}]}
BASE: dict[str, Any] = {"limits": {"content": {"maxCapture": "Full"}}, "destinations": [DESTINATION]}
SECRET = {"endpoint": "https://otlp.example.com", "credentialsSecretRef": {"name": "s"}}


def fleet(**changed: Any) -> Case:
    return BASE, {**BASE, **changed}


def destination(**changed: Any) -> Case:
    return fleet(destinations=[{**DESTINATION, **changed}])


FLEET_FIELDS: dict[str, Case] = {
    "namespaceSelector.matchLabels": fleet(namespaceSelector={"matchLabels": {"tier": "other"}}),
    "namespaceSelector.matchExpressions[].key": fleet(namespaceSelector={"matchExpressions": [{"key": "absent", "operator": "Exists"}]}),
    "namespaceSelector.matchExpressions[].operator": fleet(
        namespaceSelector={"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}
    ),
    "namespaceSelector.matchExpressions[].values": fleet(
        namespaceSelector={"matchExpressions": [{"key": "tier", "operator": "In", "values": ["silver"]}]}
    ),
    "limits.content.maxCapture": fleet(limits={"content": {"maxCapture": "None"}}),
    "limits.destinations": fleet(limits={**BASE["limits"], "destinations": []}),
    "destinations[].name": destination(name="other"),
    "destinations[].allowedNamespaces.matchLabels": destination(allowedNamespaces={"matchLabels": {"tier": "other"}}),
    "destinations[].allowedNamespaces.matchExpressions[].key": destination(
        allowedNamespaces={"matchExpressions": [{"key": "absent", "operator": "Exists"}]}
    ),
    "destinations[].allowedNamespaces.matchExpressions[].operator": destination(
        allowedNamespaces={"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}
    ),
    "destinations[].allowedNamespaces.matchExpressions[].values": destination(
        allowedNamespaces={"matchExpressions": [{"key": "tier", "operator": "In", "values": ["silver"]}]}
    ),
    "destinations[].otlp.endpoint": destination(otlp={"endpoint": "https://other.example.com"}),
    "destinations[].otlp.insecure": (
        {**BASE, "destinations": [{**DESTINATION, "otlp": {"endpoint": "http://otlp.example.com"}}]},
        {**BASE, "destinations": [{**DESTINATION, "otlp": {"endpoint": "http://otlp.example.com", "insecure": True}}]},
    ),
    "destinations[].otlp.headers": destination(otlp={**OTLP, "headers": {"a": "b"}}),
    "destinations[].otlp.credentialsSecretRef.name": destination(otlp=SECRET),
    "destinations[].otlp.credentialsSecretRef.key": (
        {**BASE, "destinations": [{**DESTINATION, "otlp": SECRET}]},
        {**BASE, "destinations": [{**DESTINATION, "otlp": {**OTLP, "credentialsSecretRef": {"name": "s", "key": "k"}}}]},
    ),
}

PRICE_FIELDS: dict[str, Case] = {
    "currency": ({}, {"currency": "EUR"}),
    "prices[].model": ({"prices": [UNPRICED]}, {"prices": [{**UNPRICED, "model": "acme-2"}]}),
    "aliases[].from": (
        {"prices": [UNPRICED], "aliases": [{"from": "x", "to": "acme-1"}]},
        {"prices": [UNPRICED], "aliases": [{"from": "y", "to": "acme-1"}]},
    ),
    "aliases[].to": ({"aliases": [{"from": "x", "to": "gpt-4o"}]}, {"aliases": [{"from": "x", "to": "gpt-4o-mini"}]}),
    **{
        f"prices[].{name}": ({"prices": [UNPRICED]}, {"prices": [{**UNPRICED, name: value}]})
        for name, value in {
            "provider": "openai",
            "inputPerMillion": 7,
            "outputPerMillion": 8,
            "cachedInputPerMillion": 0.5,
            "cacheWritePerMillion": 9,
            "reasoningPerMillion": 11,
        }.items()
    },
}


def leaves(shape: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every field that holds a value of its own; ``defaults`` repeats a policy's spec and is tested as one."""
    for name, child in shape.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        inner = child.get("items", child)
        if path == "" and name == "defaults":
            continue
        if inner.get("properties"):
            yield from leaves(inner, f"{here}[]" if "items" in child else here)
        else:
            yield here


@pytest.mark.parametrize(
    ("kind", "tested"),
    [(POLICY, POLICY_FIELDS), (FLEET, {**FLEET_FIELDS, "priority": None}), (PRICES, PRICE_FIELDS)],
    ids=["LLMObservability", "ClusterLLMObservability", "LLMPriceList"],
)
def test_every_field_has_its_test(kind: Any, tested: Mapping[str, Any]) -> None:
    assert set(leaves(schema(kind.spec))) == set(tested)


def changes(case: Case, render: Callable[[Mapping[str, Any]], str]) -> bool:
    before, after = (render(deepcopy(spec)) for spec in case)
    return before != after


@pytest.mark.parametrize("case", POLICY_FIELDS.values(), ids=POLICY_FIELDS.keys())
def test_a_field_of_a_policy_is_honoured(case: Case) -> None:
    assert changes(case, lambda spec: planned(spec, BASE))


@pytest.mark.parametrize("case", POLICY_FIELDS.values(), ids=POLICY_FIELDS.keys())
def test_a_fleets_default_is_honoured_like_the_field_itself(case: Case) -> None:
    assert changes(case, lambda spec: planned({}, {**BASE, "defaults": spec}))


@pytest.mark.parametrize("case", FLEET_FIELDS.values(), ids=FLEET_FIELDS.keys())
def test_a_field_of_the_fleet_is_honoured(case: Case) -> None:
    assert changes(case, lambda spec: planned(ASKS, spec))


def test_the_fleets_priority_is_honoured() -> None:
    strict = {"limits": {"content": {"maxCapture": "None"}}}

    assert planned(ASKS, BASE, {**strict, "priority": 1}) != planned(ASKS, BASE, {**strict, "priority": -1})


@pytest.mark.parametrize("case", PRICE_FIELDS.values(), ids=PRICE_FIELDS.keys())
def test_a_field_of_a_price_list_is_honoured(case: Case) -> None:
    assert changes(case, lambda spec: planned({}, prices=spec))
