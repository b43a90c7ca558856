"""How the platform runs the operator: the one configuration file that the chart renders from Helm values."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.kit.quantity import MEBIBYTE, thousandths
from llmobs.kit.schema import Rule, prop, ruled

_NAMED = r"^[a-z0-9]([-.a-z0-9]*[a-z0-9])?$"
_HOST = re.compile(r"(?:localhost|[^/]*[.:][^/]*)/")
"""The registry in an image's name; without a dot, a port or this word the first part is a path on Docker Hub."""


_RELEASE = re.compile(r"v?([0-9]+)\.([0-9]+)(\.[0-9]+)?([-+].*)?")
_OLDEST, _USUAL = (0, 155), (0, 158)


@ruled(
    Rule(
        cel="true",
        message="the collector must be of release 0.155 or newer; where the image's tag does not say so, set collectorVersion",
        holds=lambda images: images.release >= _OLDEST,
        path="collectorVersion",
    )
)
@dataclass(frozen=True, kw_only=True)
class Images:
    """Images of what the operator creates."""

    collector: str = prop("docker.io/otel/opentelemetry-collector-contrib:0.158.0")
    """The gateway's image."""
    collector_version: str = prop("", pattern=r"^([0-9]+\.[0-9]+(\.[0-9]+)?)?$")
    """Release of the collector in that image, 0.155 or newer; empty: as the image's tag says, and of one that says none 0.158."""
    python: str = prop("ghcr.io/llm-observability-operator/python:0.1.0")
    """The image whose content is copied into instrumented pods."""
    pull_policy: str = prop("IfNotPresent", pattern="^(Always|IfNotPresent|Never)$")
    """Pull policy of all of them."""
    registry: str = prop("", pattern=r"^([^/\s]+(/[^/\s]+)*)?$")
    """A registry, with a path if any, in the place of the one in every image's name; empty leaves the names as they are."""
    pull_secrets: tuple[str, ...] = prop((), max_items=8, pattern=_NAMED)
    """Names of Secrets with credentials for these images: for the gateway in the operator's namespace, for an instrumented pod in
    its own."""

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version of the collector, by which its components are named."""
        tag = self.collector.partition("@")[0].rpartition("/")[2].partition(":")[2]
        found = _RELEASE.fullmatch(self.collector_version or tag)
        return (int(found[1]), int(found[2])) if found else _USUAL

    def located(self, image: str) -> str:
        """The name of ``image`` in the registry of this installation."""
        return f"{self.registry}/{_HOST.sub('', image, count=1) if _HOST.match(image) else image}" if self.registry else image


@ruled(
    Rule(
        cel="self.maxReplicas == 0 || self.maxReplicas >= self.replicas",
        message="must be 0 (no autoscaling) or at least replicas",
        holds=lambda gateway: gateway.max_replicas == 0 or gateway.max_replicas >= gateway.replicas,
        path="maxReplicas",
    ),
    Rule(
        cel="true",
        message="needs the size of a volume in queueOnDisk",
        holds=lambda gateway: not gateway.queue_storage_class or gateway.queue_on_disk != "",
        path="queueStorageClass",
    ),
    Rule(
        cel="true",
        message="needs at least 2 replicas, because a pod goes before its successor comes, and no autoscaling, because a pod that is taken "
        "away would leave its queue behind",
        holds=lambda gateway: not gateway.queue_storage_class or (gateway.replicas > 1 and gateway.max_replicas == 0),
        path="queueStorageClass",
    ),
)
@dataclass(frozen=True, kw_only=True)
class Gateway:
    """The shared collector."""

    replicas: int = prop(2, minimum=1, maximum=100)
    """Number of pods; with autoscaling the least."""
    max_replicas: int = prop(0, minimum=0, maximum=100)
    """The most pods that autoscaling may make; 0: no autoscaling."""
    target_utilization: int = prop(80, minimum=10, maximum=1000)
    """Percent of the CPU that pods request, on average, above which autoscaling adds pods."""
    cpu: str = prop("200m", pattern=r"^[0-9]+m?$")
    """CPU requested by each pod."""
    memory: str = prop("1Gi", pattern=r"^[0-9]+(Mi|Gi)$")
    """Memory requested by and allowed to each pod."""
    queue_on_disk: str = prop("", pattern=r"^([0-9]+(Mi|Gi))?$")
    """Size of the volume on the node's disk where traces wait for their backends; empty: they wait in memory."""
    queue_storage_class: str = prop("", pattern=r"^([a-z0-9]([-.a-z0-9]*[a-z0-9])?)?$", max_length=253)
    """StorageClass of that volume: it then outlives its pod. Empty: it is the node's disk, and ends with the pod."""
    scrape_interval: str = prop("30s", pattern="^[0-9]+s$")
    """How often Prometheus reads the gateway."""
    pod_monitor_labels: Mapping[str, str] = prop(factory=dict)
    """Labels of the PodMonitor, where Prometheus selects by label."""


@dataclass(frozen=True, kw_only=True)
class Dedicated:
    """Gateways of single policies (collector.mode Dedicated). Besides their size they are as the shared one."""

    enabled: bool = prop(False)
    """Offer them; the chart then gives the controller the rights to run them in every namespace."""
    replicas: int = prop(1, minimum=1, maximum=100)
    """Number of pods of each."""
    cpu: str = prop("50m", pattern=r"^[0-9]+m?$")
    """CPU requested by each pod."""
    memory: str = prop("256Mi", pattern=r"^[0-9]+(Mi|Gi)$")
    """Memory requested by and allowed to each pod."""


@ruled(
    Rule(
        cel="true",
        message="must be at least 96Mi: a collector that takes a long prompt is ended by the kernel otherwise",
        holds=lambda sidecar: thousandths(sidecar.memory) >= 96 * MEBIBYTE,
        path="memory",
    )
)
@dataclass(frozen=True, kw_only=True)
class Sidecar:
    """The collector inside pods of policies with collector.mode Sidecar."""

    native: bool = prop(True)
    """Whether the API server knows native sidecars, as Kubernetes does from 1.29 on; false where its feature gate SidecarContainers is
    off. Without them pods that must complete are left alone."""
    cpu: str = prop("20m", pattern=r"^[0-9]+m?$")
    """CPU requested by each."""
    memory: str = prop("128Mi", pattern=r"^[0-9]+(Mi|Gi)$")
    """Memory requested by and allowed to each, where its pod has requests and limits."""
    counts_against_quota: bool = prop(False)
    """Whether these figures may count against ResourceQuotas and LimitRanges for whole pods, which must then leave room for them. Without
    it they are zero where something counts them, and Guaranteed pods are left alone there."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where the operator is at work."""

    namespaces: tuple[str, ...] = prop((), max_items=100, pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
    """The namespaces whose policies and pods it looks at, with rights in these and its own only; empty: all namespaces."""

    @property
    def places(self) -> tuple[str, ...]:
        """Where to look for what has a namespace; the empty name stands for everywhere."""
        return tuple(dict.fromkeys(self.namespaces)) or ("",)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Recording rules and alerts."""

    tile: str = prop("5m", pattern="^(1m|5m)$")
    """Length of the tiles in which money is counted. 1m only to see alerts sooner in a trial."""
    labels: Mapping[str, str] = prop(factory=dict)
    """Labels of every PrometheusRule, where Prometheus selects by label."""
    runbook_url: str = prop("https://llmobs.dev/runbooks")
    """Base URL of the runbooks; the alert's name is appended."""
    dashboard_url: str = prop("")
    """Base URL of Grafana; empty leaves dashboard links out of alerts."""


@dataclass(frozen=True, kw_only=True)
class Grafana:
    """How Grafana finds dashboards."""

    label: str = prop("grafana_dashboard")
    """Label that Grafana's sidecar looks for."""
    value: str = prop("1")
    """Value of that label."""
    folder: str = prop("LLM")
    """Folder, as the annotation grafana_folder."""


@dataclass(frozen=True, kw_only=True)
class Prometheus:
    """Where spend is read from."""

    url: str = prop("", pattern="^(https?://.+)?$")
    """Base URL of Prometheus' HTTP API; empty: spend is not read."""


class Instrumenter(enum.Enum):
    """Who changes pods when they are created."""

    WEBHOOK = "Webhook"
    ADMISSION_POLICY = "AdmissionPolicy"


@dataclass(frozen=True, kw_only=True)
class Admission:
    """How pods are changed when they are created."""

    by: Instrumenter = prop(Instrumenter.WEBHOOK)
    """Webhook: a service of ours. AdmissionPolicy: the API server itself, by a MutatingAdmissionPolicy for each policy, for what that can
    express."""
    excluded_namespaces: tuple[str, ...] = prop((), pattern=_NAMED)
    """Namespaces never looked at, besides the system's own and the operator's."""

    @property
    def native(self) -> bool:
        """Whether the API server itself instruments."""
        return self.by is Instrumenter.ADMISSION_POLICY


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The operator's configuration file."""

    cluster_name: str = prop("")
    """Name of the cluster, as the label cluster on every series."""
    watch: Watch = prop(factory=Watch)
    """Where the operator is at work."""
    images: Images = prop(factory=Images)
    """Images of what the operator creates."""
    admission: Admission = prop(factory=Admission)
    """How pods are changed when they are created."""
    gateway: Gateway = prop(factory=Gateway)
    """The shared collector."""
    dedicated: Dedicated = prop(factory=Dedicated)
    """Gateways of single policies."""
    sidecar: Sidecar = prop(factory=Sidecar)
    """Collectors inside pods."""
    rules: Rules = prop(factory=Rules)
    """Recording rules and alerts."""
    grafana: Grafana = prop(factory=Grafana)
    """How Grafana finds dashboards."""
    prometheus: Prometheus = prop(factory=Prometheus)
    """Where spend is read from."""
    resync: str = prop("1m", pattern="^[0-9]+[sm]$")
    """How often everything is looked at again without an event; spend in status follows this."""
