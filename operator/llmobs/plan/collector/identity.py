"""Who sent a span: never what the client says, always what the API server knows of the connection's other end.

team, feature and environment: a policy's word wins; where it is silent, the pod's own resource attribute counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmobs.api import names
from llmobs.catalogue.metrics import IDENTITY, RESOURCE_LABELS
from llmobs.plan.collector.ottl import Value, assign, at, drop, group, literal, lookup, replace, resource, transform
from llmobs.plan.collector.policies import (
    CAPTURE,
    POLICY,
    REPEATS,
    ROLLED,
    ROUTE,
    SOURCE,
    by_namespace,
    by_policy,
    metered,
    metering,
    rolling,
    table,
)
from llmobs.plan.collector.rooms import ROOM
from llmobs.plan.collector.sampling import TERMS, sampled
from llmobs.plan.inputs import Inputs

WORKLOADS = ("deployment", "statefulset", "daemonset", "cronjob", "job", "pod")
"""What is called the workload, the first that is known."""

LONGEST = 128
"""Characters of a label's value that a client chooses."""

CLAIMED = r"^(k8s|llm|llmobs)(\.|$)"
"""What no client may say of itself. Without a dot too: a receiver that nests names would read a map under k8s as ours."""

NO_TEXT = r"[\x{FFFC}\x{FFFD}]"
"""RE2 takes each byte that is no UTF-8 for U+FFFD. Two characters, because one alone is searched for as its own three bytes."""

NAMESPACE = "k8s.namespace.name"

WHO = "llmobs.who"
"""The resource attribute with the room and all identity labels."""

BETWEEN = "\x1f"
"""Stands between them: ASCII's unit separator."""

_ROW = at("resource.cache", "row")
"""What applies to the resource, while it is looked up."""


def label(name: str) -> str:
    """The resource attribute that holds the value of an identity label."""
    return f"llmobs.id.{name}"


def untrust() -> dict[str, Any]:
    """Deletes what only the collector may say: all of k8s, our own names. Spans and events lose theirs with their content."""
    return transform(*_unclaimed("resource", "scope"))


def untrust_metrics() -> dict[str, Any]:
    """The same of metrics."""
    return transform(*_unclaimed("resource", "scope", "datapoint"), signal="metric")


def _unclaimed(*places: str) -> Iterator[dict[str, object]]:
    yield from (group(place, [drop(f"{place}.attributes", CLAIMED)]) for place in places)


def k8s_attributes(namespace: str) -> dict[str, Any]:
    """Finds the pod by the connection's address, and the policy that admission wrote on it. Waits for its cache before it serves.

    With a ``namespace`` it knows the pods of no other.
    """
    metadata = [NAMESPACE, "k8s.pod.uid", "k8s.node.name", *(f"k8s.{kind}.name" for kind in WORKLOADS)]
    return {
        "auth_type": "serviceAccount",
        **({"filter": {"namespace": namespace}} if namespace else {}),
        "wait_for_metadata": True,
        "wait_for_metadata_timeout": "60s",
        "extract": {
            "metadata": metadata,
            "deployment_name_from_replicaset": True,
            "annotations": [{"tag_name": POLICY, "key": names.POLICY, "from": "pod"}],
        },
        "pod_association": [{"sources": [{"from": "connection"}]}],
    }


def policy(inputs: Inputs) -> dict[str, Any]:
    """Writes on the resource what applies to it: capture, route, attributes, and the values of the identity labels."""
    return transform(group("resource", [*_terms(inputs), *_labels(inputs.settings.cluster_name)]))


def policy_of_metrics(inputs: Inputs) -> dict[str, Any]:
    """The same on resources of metrics, of policies that ask for them: on others nothing says what they are counted by."""
    named, spaces = (table(metered(terms)) for terms in (by_policy(inputs.governing), by_namespace(inputs.governing)))
    statements = [*_found(named, spaces), *_noted({SOURCE: "m", ROOM: "n"}), *_labels(inputs.settings.cluster_name)]
    return transform(group("resource", statements), signal="metric")


def _terms(inputs: Inputs) -> list[str]:
    named, spaces = table(by_policy(inputs.governing)), table(by_namespace(inputs.governing))
    noted = {CAPTURE: "c", ROUTE: "r", ROOM: "n"}
    noted |= {TERMS: "s"} if sampled(inputs.governing) else {}
    noted |= {REPEATS: "l"} if _looping(inputs) else {}
    noted |= {SOURCE: "m"} if metering(inputs.governing) else {}
    noted |= {ROLLED: "u"} if rolling(inputs.governing) else {}
    return [*_found(named, spaces), *_noted(noted)]


def _found(named: Mapping[str, Value], spaces: Mapping[str, Value]) -> Iterator[str]:
    """The row of the pod's own policy, else of its namespace."""
    space = resource(NAMESPACE)
    own = f'HasPrefix({resource(POLICY)}, Concat([{space}, ""], "/"))'
    if named:  # a pod may name only a policy of its own namespace
        yield assign(_ROW, lookup(named, resource(POLICY)), own)
    if spaces:
        yield assign(_ROW, lookup(spaces, space), f"{_ROW} == nil")


def _noted(wanted: Mapping[str, str]) -> Iterator[str]:
    """Resource attributes from what stands in the row under these keys, and the policy's own."""
    yield from (assign(resource(name), at(_ROW, key), f"{_ROW} != nil") for name, key in wanted.items())
    yield f'merge_maps(resource.attributes, {at(_ROW, "a")}, "upsert") where {_ROW} != nil'


def _looping(inputs: Inputs) -> bool:
    return any(policy.spec.agents.max_tool_repeats is not None for policy in inputs.governing)


def _labels(cluster: str) -> list[str]:
    workload = ", ".join(resource(f"k8s.{kind}.name") for kind in WORKLOADS)
    service = resource(label("service_name"))
    found = [
        assign(resource(label("k8s_namespace")), resource(NAMESPACE)),
        assign(resource(label("k8s_workload")), f"Coalesce([{workload}])"),
        assign(service, f"String({resource('service.name')})", f"{resource('service.name')} != nil"),
        assign(service, resource(label("k8s_workload")), f"{service} == nil"),
    ]
    found += [assign(resource(label(name)), f"String({resource(name)})", f"{resource(name)} != nil") for name in RESOURCE_LABELS]
    found += [item for name in ("service_name", *RESOURCE_LABELS) for item in shortened(resource(label(name)))]
    if cluster:
        found += [assign(resource(item), literal(cluster)) for item in (label("cluster"), "k8s.cluster.name")]
    return [*found, *_joined()]


def shortened(target: str) -> list[str]:
    """Cuts what a client chose to :data:`LONGEST` characters, and makes it text: with other bytes the exporter drops a series."""
    return [
        replace(target, rf"(?s)^(.{{{LONGEST}}}).*$", r"\1", f"Len({target}) > {LONGEST}"),
        replace(target, NO_TEXT, "\ufffd", f'{target} != ""'),
    ]


def _joined() -> list[str]:
    """The room and all identity labels in one attribute."""
    chosen = [resource(label(name)) for name in ("service_name", *RESOURCE_LABELS)]
    every = [f'Coalesce([{resource(ROOM)}, ""])', *(f"Coalesce([{resource(label(name))}, {literal(_absent(name))}])" for name in IDENTITY)]
    return [*(replace(item, BETWEEN, " ") for item in chosen), assign(resource(WHO), f"Concat([{', '.join(every)}], {literal(BETWEEN)})")]


def kept() -> list[dict[str, object]]:
    """What a derived series keeps of the resource: one attribute, because the connector hashes all of them for every span and series."""
    return [{"key": WHO}]


def parted() -> list[str]:
    """The identity labels, each as an attribute of its own, under its own name."""
    return [assign(resource(name), f"Split({resource(WHO)}, {literal(BETWEEN)})[{index}]") for index, name in enumerate(IDENTITY, start=1)]


def _absent(name: str) -> str:
    return "unknown" if name == "k8s_namespace" else ""
