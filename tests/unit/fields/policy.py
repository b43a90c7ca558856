"""The fields of LLMObservability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.unit.fields import backends
from tests.unit.fields.effects import Case

OTLP = {"endpoint": "https://otlp.example.com"}
DESTINATION = {"name": "vault", "otlp": OTLP}
AGENT = "http://agent.team.svc:4318"
BUDGET = {"name": "b", "period": "Month", "limitUSD": 10}
STAFF = {"name": "staff", "pattern": "S-[0-9]{6}"}
LATENCY = {"name": "l", "latency": {"target": 0.9, "threshold": "5s"}}


def budget(**changed: Any) -> Case:
    return {"budgets": [BUDGET]}, {"budgets": [{**BUDGET, **changed}]}


def objective(base: Mapping[str, Any], changed: Mapping[str, Any]) -> Case:
    return {"objectives": [base]}, {"objectives": [changed]}


def external(**changed: Any) -> Case:
    base = {"mode": "External", "endpoint": AGENT}
    return {"collector": base}, {"collector": {**base, **changed}}


def sampling(**changed: Any) -> Case:
    base = {"backends": [{"name": "t", "otlp": OTLP}], "sampling": {"ratio": 0.1}}
    return base, {**base, "sampling": {"ratio": 0.1, **changed}}


def content(**changed: Any) -> Case:
    base = {"capture": "Masked", "maskPatterns": [STAFF]}
    return {"content": base}, {"content": {**base, **changed}}


def indicator(kind: str, field: str, one: Any, other: Any) -> dict[str, Case]:
    base = {"target": 0.9, field: one}
    changes = {"target": {**base, "target": 0.95}, field: {**base, field: other}}
    return {
        f"objectives[].{kind}.{name}": objective({"name": "o", kind: base}, {"name": "o", kind: found}) for name, found in changes.items()
    }


def expression(**changed: Any) -> Case:
    base = {"key": "tier", "operator": "In", "values": ["gold"]}
    return {"selector": {"matchExpressions": [base]}}, {"selector": {"matchExpressions": [{**base, **changed}]}}


def figure(kind: str, **amount: str) -> Case:
    return {}, {"injection": {"resources": {kind: amount}}}


POLICY_FIELDS: dict[str, Case] = {
    "selector.matchLabels": ({}, {"selector": {"matchLabels": {"app": "other"}}}),
    "selector.matchExpressions[].key": expression(key="absent"),
    "selector.matchExpressions[].operator": expression(operator="NotIn"),
    "selector.matchExpressions[].values": expression(values=["silver"]),
    "attributes": ({}, {"attributes": {"team": "payments"}}),
    "injection.mode": ({}, {"injection": {"mode": "Disabled"}}),
    "injection.languages": ({}, {"injection": {"languages": ["sdk"]}}),
    "injection.vectorStores": ({}, {"injection": {"vectorStores": True}}),
    "injection.containers.include": ({}, {"injection": {"containers": {"include": ["main"]}}}),
    "injection.containers.exclude": ({}, {"injection": {"containers": {"exclude": ["side"]}}}),
    "injection.env[].name": ({"injection": {"env": [{"name": "A"}]}}, {"injection": {"env": [{"name": "B"}]}}),
    "injection.env[].value": ({"injection": {"env": [{"name": "A"}]}}, {"injection": {"env": [{"name": "A", "value": "v"}]}}),
    "injection.onOtherAgent": ({}, {"injection": {"onOtherAgent": "AddExporter"}}),
    "injection.delivery": ({}, {"injection": {"delivery": "ImageVolume"}}),
    "injection.resources.requests.cpu": figure("requests", cpu="20m"),
    "injection.resources.requests.memory": figure("requests", memory="40Mi"),
    "injection.resources.limits.cpu": figure("limits", cpu="100m"),
    "injection.resources.limits.memory": figure("limits", memory="100Mi"),
    "injection.rollout.mode": ({}, {"injection": {"rollout": {"mode": "Rolling"}}}),
    "injection.rollout.maxConcurrent": (
        {"injection": {"rollout": {"mode": "Rolling"}}},
        {"injection": {"rollout": {"mode": "Rolling", "maxConcurrent": 2}}},
    ),
    "injection.rollback.enabled": ({}, {"injection": {"rollback": {"enabled": False}}}),
    "injection.rollback.restarts": ({}, {"injection": {"rollback": {"restarts": 4}}}),
    "injection.rollback.window": ({}, {"injection": {"rollback": {"window": "1m"}}}),
    "content.capture": ({}, {"content": {"capture": "Full"}}),
    "content.sampleRatio": content(sampleRatio=0.5),
    "content.maxLength": content(maxLength=100),
    "content.mask": content(mask=["Email"]),
    "content.maskPatterns[].name": content(maskPatterns=[{**STAFF, "name": "other"}]),
    "content.maskPatterns[].pattern": content(maskPatterns=[{**STAFF, "pattern": "T-[0-9]{6}"}]),
    "content.userIds": content(userIds="Drop"),
    "collector.mode": ({"collector": {"endpoint": AGENT}}, {"collector": {"mode": "External", "endpoint": AGENT}}),
    "collector.source": ({}, {"collector": {"source": "Metrics"}}),
    "collector.endpoint": external(endpoint="http://other.team.svc:4318"),
    "collector.insecure": (
        {"collector": {"mode": "External", "endpoint": "http://x.example.com"}},
        {"collector": {"mode": "External", "endpoint": "http://x.example.com", "insecure": True}},
    ),
    "sampling.ratio": sampling(ratio=0.5),
    "sampling.keepErrors": sampling(keepErrors=False),
    "sampling.keepCostlierThanUSD": sampling(keepCostlierThanUSD=0.5),
    "sampling.keepLongerThan": sampling(keepLongerThan="30s"),
    "backends[].name": ({"backends": [{"name": "t", "otlp": OTLP}] * 2}, {"backends": [{"name": n, "otlp": OTLP} for n in ("t", "u")]}),
    "backends[].destination": ({}, {"backends": [{"name": "t", "destination": "vault"}]}),
    **backends.own(),
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
    **indicator("timeToFirstToken", "threshold", "500ms", "700ms"),
    **indicator("retrievalLatency", "threshold", "500ms", "700ms"),
    **indicator("tokensPerSecond", "atLeast", 30, 33),
    "agents.rollUp": ({}, {"agents": {"rollUp": True}}),
    "agents.maxRunCostUSD": ({}, {"agents": {"maxRunCostUSD": 1}}),
    "agents.maxSteps": ({}, {"agents": {"maxSteps": 20}}),
    "agents.maxToolRepeats": ({}, {"agents": {"maxToolRepeats": 3}}),
    "alerts.labels": ({}, {"alerts": {"labels": {"route": "chat"}}}),
    "alerts.disabled": ({}, {"alerts": {"disabled": ["LLMLatencyBudgetBurn"]}}),
    "dashboards.delivery": ({}, {"dashboards": {"delivery": "None"}}),
}
