"""The fields of ClusterLLMObservability."""

from __future__ import annotations

from typing import Any

from tests.unit.fields import backends
from tests.unit.fields.effects import Case
from tests.unit.fields.policy import DESTINATION

ASKS = {"content": {"capture": "Full"}, "backends": [{"name": "t", "destination": "vault"}]}
REMOTE = {"name": "vault", "prometheusremotewrite": {"url": "https://mimir.example.com/api/v1/push"}}
BASE: dict[str, Any] = {"limits": {"content": {"maxCapture": "Full"}}, "destinations": [DESTINATION]}


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
    "withoutPolicy": fleet(withoutPolicy="Apply"),
    "limits.content.maxCapture": fleet(limits={"content": {"maxCapture": "None"}}),
    "limits.content.maxSampleRatio": fleet(limits={"content": {"maxCapture": "Full", "maxSampleRatio": 0.5}}),
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
    "destinations[].allSeries": ({**BASE, "destinations": [REMOTE]}, {**BASE, "destinations": [{**REMOTE, "allSeries": True}]}),
    **backends.destinations(BASE),
}
