"""Who a container is, by OpenTelemetry's rules for Kubernetes, from what admission sees: no question to the API server.

Rules: https://opentelemetry.io/docs/specs/semconv/non-normative/k8s-attributes/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from llmobs.api.workload import Workload
from llmobs.inject.pod import Container, Meta

ANNOTATION = "resource.opentelemetry.io/"
POD_NAME = "LLMOBS_POD_NAME"
POD_UID = "LLMOBS_POD_UID"
NODE_NAME = "LLMOBS_NODE_NAME"
HASH_LABEL = "pod-template-hash"

WORKLOADS = {
    "Deployment": "k8s.deployment.name",
    "ReplicaSet": "k8s.replicaset.name",
    "StatefulSet": "k8s.statefulset.name",
    "DaemonSet": "k8s.daemonset.name",
    "CronJob": "k8s.cronjob.name",
    "Job": "k8s.job.name",
}

DERIVED = frozenset(
    [
        *("service.name", "service.namespace", "service.instance.id", "service.version", "k8s.namespace.name", "k8s.container.name"),
        *("k8s.pod.name", "k8s.pod.uid", "k8s.node.name", *WORKLOADS.values()),
    ]
)
"""The keys that are derived from the pod; where somebody chose one of them, its place stays and its value changes."""

_REFERENCES = {"k8s.pod.name": f"$({POD_NAME})", "k8s.pod.uid": f"$({POD_UID})", "k8s.node.name": f"$({NODE_NAME})"}
"""What the kubelet fills in."""

_SCHEDULED = re.compile(r"(.+)-([0-9]{8})")
EARLIEST_MINUTE = 26_000_000
"""June 2019 in minutes since 1970. A CronJob's Job ends in such a number; a date such as 20261121 lies below it."""


def workload(meta: Meta) -> Workload | None:
    """The workload behind a pod; none when nothing we know controls it."""
    owners = [item for item in meta.owner_references or () if item.controller]
    if not owners or owners[0].kind not in WORKLOADS:
        return None
    owner = owners[0]
    if owner.kind == "ReplicaSet":
        return _deployment(owner.name, (meta.labels or {}).get(HASH_LABEL))
    if owner.kind == "Job":
        return _cron_job(owner.name)
    return Workload(owner.kind, owner.name)


def _deployment(replica_set: str, template_hash: str | None) -> Workload:
    name = replica_set.removesuffix(f"-{template_hash}") if template_hash else replica_set
    return Workload("ReplicaSet", replica_set) if name == replica_set else Workload("Deployment", name)


def _cron_job(job: str) -> Workload:
    match = _SCHEDULED.fullmatch(job)
    if match is None or int(match[2]) < EARLIEST_MINUTE:
        return Workload("Job", job)
    return Workload("CronJob", match[1])


def _listed(attributes: Mapping[str, str]) -> str:
    return ",".join([f"{key}={value}" for key, value in attributes.items()])


_POD = _listed({"service.name": "%s", "service.namespace": "%s", "k8s.namespace.name": "%s", **_REFERENCES})
_CONTAINER = _listed({"service.instance.id": f"%s.$({POD_NAME}).%s", "k8s.container.name": "%s"})


class ResourceAttributes:
    """The resource attributes of a pod's containers; ``given`` are the policy's, already encoded."""

    def __init__(self, *, meta: Meta, namespace: str, given: Mapping[str, str]) -> None:
        labels, found = meta.labels or {}, workload(meta)
        self._namespace = _encoded(namespace)
        self._chosen = {**given, **_annotated(meta.annotations)} if meta.annotations else given
        self._plain = DERIVED.isdisjoint(self._chosen)
        self._version = labels.get("app.kubernetes.io/version")
        self._begin = _POD % (_service_name(labels, found), self._namespace, self._namespace)
        if found is not None:
            self._begin += f",{WORKLOADS[found.kind]}={_encoded(found.name)}"
        self._end = "".join([f",{key}={value}" for key, value in self._chosen.items()])

    def of(self, container: Container) -> str:
        """``key=value,...`` with percent-encoded values; annotations win over the policy, and that over what is derived."""
        name, version = _encoded(container.name), self._version or image_version(container.image)
        derived = f"{self._begin},{_CONTAINER % (self._namespace, name, name)}"
        if version:
            derived += f",service.version={_encoded(version)}"
        if self._plain:
            return derived + self._end
        # Of encoded text no value holds what stands between entries.
        return _listed({**dict(entry.split("=", 1) for entry in derived.split(",")), **self._chosen})


def _service_name(labels: Mapping[str, str], found: Workload | None) -> str:
    named = labels.get("app.kubernetes.io/instance") or labels.get("app.kubernetes.io/name") or (found.name if found else "")
    return _encoded(named) if named else f"$({POD_NAME})"


def _annotated(annotations: Mapping[str, str]) -> dict[str, str]:
    start = len(ANNOTATION)
    return {_encoded(key[start:]): _encoded(value) for key, value in annotations.items() if value and key.startswith(ANNOTATION)}


@lru_cache(maxsize=1024)
def image_version(image: str) -> str:
    """``tag@digest``, the digest or the tag of an image; empty when it has neither."""
    rest, _, digest = image.partition("@")
    tag = rest.rpartition("/")[2].partition(":")[2]
    return f"{tag}@{digest}" if tag and digest else digest or tag


def encoded(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes with keys and values percent-encoded: no value can end its entry or refer to a variable."""
    return {_encoded(key): _encoded(value) for key, value in attributes.items()}


@lru_cache(maxsize=4096)
def _encoded(text: str) -> str:
    return quote(text, safe="")
