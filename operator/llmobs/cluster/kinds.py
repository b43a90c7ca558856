"""The kinds this operator reads and writes, with their paths in the API; a fixed list, so that nothing need be discovered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypedDict

from llmobs.api import kinds, names


@dataclass(frozen=True)
class Resource:
    """One kind as the API server addresses it."""

    api_version: str
    kind: str
    plural: str
    namespaced: bool = True

    @property
    def group(self) -> str:
        """The API group; empty for the core."""
        return self.api_version.rpartition("/")[0]

    def path(self, *, namespace: str = "", name: str = "", sub: str = "") -> str:
        """The URL path of a collection, an object, or a part of an object."""
        root = f"/apis/{self.api_version}" if self.group else f"/api/{self.api_version}"
        where = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{root}{where}/{self.plural}" + "".join(f"/{part}" for part in (name, sub) if part)


class Ref(NamedTuple):
    """Which object; ``namespace`` is empty for kinds that have none."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """As a person writes it: ``ConfigMap team-a/llmobs-checkout``."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


OURS = tuple(Resource(names.API_VERSION, item.kind, item.plural, item.namespaced) for item in kinds.KINDS)
POLICY, FLEET, PRICES = OURS

NAMESPACE = Resource("v1", "Namespace", "namespaces", namespaced=False)
LIMIT_RANGE = Resource("v1", "LimitRange", "limitranges")
QUOTA = Resource("v1", "ResourceQuota", "resourcequotas")
POD = Resource("v1", "Pod", "pods")
EVENT = Resource("v1", "Event", "events")
SECRET = Resource("v1", "Secret", "secrets")
CONFIG_MAP = Resource("v1", "ConfigMap", "configmaps")
DEPLOYMENT = Resource("apps/v1", "Deployment", "deployments")
REPLICA_SET = Resource("apps/v1", "ReplicaSet", "replicasets")
STATEFUL_SET = Resource("apps/v1", "StatefulSet", "statefulsets")
DAEMON_SET = Resource("apps/v1", "DaemonSet", "daemonsets")
JOB = Resource("batch/v1", "Job", "jobs")
CRON_JOB = Resource("batch/v1", "CronJob", "cronjobs")
CLUSTER_ROLE = Resource("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", namespaced=False)
WEBHOOKS = Resource("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", namespaced=False)
PROMETHEUS_RULE = Resource("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules")
POD_MONITOR = Resource("monitoring.coreos.com/v1", "PodMonitor", "podmonitors")

ADMISSION_POLICY = Resource("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", "mutatingadmissionpolicies", namespaced=False)
ADMISSION_BINDING = Resource(
    "admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", namespaced=False
)
ADMISSION_KINDS = (ADMISSION_POLICY, ADMISSION_BINDING)
"""Kinds that are created where the API server itself instruments, in the order in which they are applied."""

FLEET_KINDS = (
    Resource("v1", "ServiceAccount", "serviceaccounts"),
    CONFIG_MAP,
    Resource("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Resource("v1", "Service", "services"),
    Resource("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    DEPLOYMENT,
    STATEFUL_SET,
    Resource("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    POD_MONITOR,
    PROMETHEUS_RULE,
)
"""Kinds that are created for the fleet, in the order in which they are applied: what others refer to comes first. None is of the whole
cluster, so that no right on such a kind is needed: what the gateway may read of other namespaces, the chart says."""

POLICY_KINDS = (CONFIG_MAP, PROMETHEUS_RULE)
"""Kinds that are created for a policy, in its namespace."""

ROLE = Resource("rbac.authorization.k8s.io/v1", "Role", "roles")
ROLE_BINDING = Resource("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings")
_SHARED = ("HorizontalPodAutoscaler", "StatefulSet")
"""Kinds that only the platform's gateway is made of."""
DEDICATED_KINDS = (
    *POLICY_KINDS,
    ROLE,
    ROLE_BINDING,
    *(kind for kind in FLEET_KINDS if kind.namespaced and kind not in POLICY_KINDS and kind.kind not in _SHARED),
)
"""Kinds that are created for a policy where it may have a gateway of its own."""


class Scope(TypedDict, total=False):
    """Where a list or a watch looks."""

    namespace: str
    fields: str


def within(kind: Resource, place: str) -> Scope:
    """What keeps a list or a watch of a kind within a namespace, and of namespaces to that one; an empty ``place`` keeps it nowhere."""
    if kind == NAMESPACE:
        return {"fields": f"metadata.name={place}"} if place else {}
    return {"namespace": place} if kind.namespaced else {}


def policy_kinds(*, dedicated: bool) -> tuple[Resource, ...]:
    """Kinds that are created for policies; ``dedicated``: whether they may have gateways of their own."""
    return DEDICATED_KINDS if dedicated else POLICY_KINDS


_BY_NAME: Mapping[tuple[str, str], Resource] = {
    (item.api_version, item.kind): item
    for item in (*OURS, NAMESPACE, POD, EVENT, SECRET, REPLICA_SET, WEBHOOKS, *FLEET_KINDS, ROLE, ROLE_BINDING, *ADMISSION_KINDS)
}
_RANK = {item.kind: rank for rank, item in enumerate(FLEET_KINDS)}
_RANK |= {item.kind: len(_RANK) + rank for rank, item in enumerate(ADMISSION_KINDS)}
_RANK |= dict.fromkeys((ROLE.kind, ROLE_BINDING.kind), _RANK[CONFIG_MAP.kind])


def resource(manifest: Mapping[str, Any]) -> Resource:
    """The resource of an object; KeyError for a kind this operator never touches, which is a bug."""
    return _BY_NAME[manifest["apiVersion"], manifest["kind"]]


def ref(manifest: Mapping[str, Any]) -> Ref:
    """Which object a manifest is."""
    known = resource(manifest)
    meta = manifest["metadata"]
    return Ref(known.kind, str(meta.get("namespace", "")) if known.namespaced else "", str(meta["name"]))


def rank(manifest: Mapping[str, Any]) -> int:
    """Position in the order of application."""
    return _RANK[manifest["kind"]]
