"""A compiled policy as the objects that make an API server instrument pods by itself: MutatingAdmissionPolicy and its binding.

An API server compiles every one of them, at 5 MB and 0.2 s of CPU each. One for all, with a ConfigMap of parameters for each policy, would
cost it less, but 1.36 never follows ConfigMaps again once the last binding to them is gone: not for us, and not for policies of others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmobs.api import names
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.inject.compiled import CompiledPolicy, Platform
from llmobs.inject.limits import inexpressible
from llmobs.inject.native.conditions import conditions
from llmobs.inject.native.given import filled
from llmobs.inject.native.mutation import patch, variables
from llmobs.inject.select import Namespace

API_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"
EXCLUDE = "llmobs.dev/exclude"
"""Label of a namespace that admission never looks at."""
UNTOUCHED = ("kube-system", "kube-public", "kube-node-lease")
"""Namespaces that admission never looks at."""

Manifest = dict[str, Any]


def manifests(places: Iterable[Namespace], platform: Platform) -> Iterator[Manifest]:
    """What instruments the pods of some namespaces: two objects for each policy that can be expressed."""
    untouched = {*UNTOUCHED, platform.namespace, *platform.settings.admission.excluded_namespaces}
    for place in places:
        if place.name in untouched:
            continue
        for position, policy in enumerate(place.policies):
            if policy.mode is not InjectionMode.DISABLED and not inexpressible(policy):
                yield from _objects(place.name, policy, place.policies[:position])


def _objects(namespace: str, policy: CompiledPolicy, better: tuple[CompiledPolicy, ...]) -> tuple[Manifest, Manifest]:
    name = names.admission_policy(namespace, policy.key.rpartition("/")[2])
    meta = {"name": name, "labels": names.labels("admission", "admission")}
    rule = {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "scope": "Namespaced"}

    def mine(items: Iterable[dict[str, str]]) -> list[dict[str, str]]:
        return [{**item, "expression": filled(item["expression"], policy, better)} for item in items]

    spec = {
        "failurePolicy": "Ignore",
        # containers that a webhook adds afterwards are instrumented too
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {"matchPolicy": "Equivalent", "resourceRules": [rule], **_selected(namespace, policy.selector)},
        "matchConditions": mine(conditions(policy)),
        "variables": mine(variables()),
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": item} for item in mine([{"expression": patch(policy)}])],
    }
    return (
        {"apiVersion": API_VERSION, "kind": POLICY, "metadata": meta, "spec": spec},
        {"apiVersion": API_VERSION, "kind": BINDING, "metadata": meta, "spec": {"policyName": name}},
    )


def _selected(namespace: str, selector: LabelSelector) -> Manifest:
    here = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": [namespace]}
    exact = [{"key": key, "operator": "In", "values": [value]} for key, value in sorted(selector.match_labels.items())]
    asked = [{"key": item.key, "operator": item.operator.value, **_values(item.values)} for item in selector.match_expressions]
    return {
        "namespaceSelector": {"matchExpressions": [here, {"key": EXCLUDE, "operator": "NotIn", "values": ["true"]}]},
        "objectSelector": {"matchExpressions": [*exact, *asked]},
    }


def _values(values: tuple[str, ...]) -> Manifest:
    return {"values": list(values)} if values else {}
