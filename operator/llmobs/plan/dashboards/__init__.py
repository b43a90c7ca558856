"""Dashboards as ConfigMaps for Grafana's sidecar: one for the fleet, one per policy."""

from __future__ import annotations

import json
from typing import Any

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.names import labels, policy_dashboard
from llmobs.api.v1alpha1.alerting import Delivery
from llmobs.kit.discovery import texts
from llmobs.plan.dashboards.names import FLEET, FLEET_OBJECT, NAMESPACE, dashboard_uid, file_name
from llmobs.plan.inputs import Inputs, Manifest, Part

__all__ = ["fleet", "parts", "policy", "policy_parts"]

_COMPONENT = "dashboards"


def parts(inputs: Inputs) -> tuple[Part, ...]:
    """The fleet's dashboard."""
    return (Part(condition=ConditionType.DASHBOARDS_READY, manifests=(fleet(inputs),)),)


def policy_parts(inputs: Inputs, policy_: Policy) -> tuple[Part, ...]:
    """The dashboard of one policy, unless it wants none."""
    if policy_.spec.dashboards.delivery is Delivery.NONE:
        finding = Finding(ConditionType.DASHBOARDS_READY, Status.TRUE, Reason.DISABLED, "spec.dashboards.delivery is None")
        return (Part(condition=ConditionType.DASHBOARDS_READY, finding=finding),)
    return (Part(condition=ConditionType.DASHBOARDS_READY, manifests=(policy(inputs, policy_),)),)


def fleet(inputs: Inputs) -> Manifest:
    """The ConfigMap of the fleet's dashboard, in the operator's namespace."""
    made = {**_template(FLEET), "uid": dashboard_uid(FLEET), "title": "LLM fleet"}
    return _config_map(inputs, made, name=FLEET_OBJECT, namespace=inputs.facts.namespace, owner="fleet", file=file_name(FLEET))


def policy(inputs: Inputs, policy_: Policy) -> Manifest:
    """The ConfigMap of a policy's dashboard, in its namespace."""
    namespace, name = policy_.identity.namespace, policy_.identity.name
    made = {**_template(NAMESPACE), "uid": dashboard_uid(NAMESPACE, namespace, name), "title": f"LLM {namespace} / {name}"}
    return _config_map(
        inputs,
        {**made, "templating": _fixed(made["templating"], namespace)},
        name=policy_dashboard(name, NAMESPACE),
        namespace=namespace,
        owner=policy_.identity.uid,
        file=file_name(NAMESPACE, namespace, name),
    )


def _template(dashboard: str) -> dict[str, Any]:
    """The committed dashboard, fresh each time: callers change it."""
    made: dict[str, Any] = json.loads(dict(texts(__name__, ".json"))[dashboard])
    return made


def _fixed(templating: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The dashboard's variables with ``$namespace`` set for good."""
    value = {"query": namespace, "current": {"selected": True, "text": namespace, "value": namespace}}
    return {"list": [{**item, **value} if item["name"] == NAMESPACE else item for item in templating["list"]]}


def _config_map(inputs: Inputs, dashboard: dict[str, Any], *, name: str, namespace: str, owner: str, file: str) -> Manifest:
    grafana = inputs.settings.grafana
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {grafana.label: grafana.value, **labels(owner, _COMPONENT)},
            "annotations": {"grafana_folder": grafana.folder},
        },
        "data": {file: json.dumps(dashboard, ensure_ascii=False, separators=(",", ":"))},
    }
