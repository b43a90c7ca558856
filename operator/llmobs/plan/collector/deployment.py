"""The Deployment of the gateway: the collector checks its configuration before a pod of it serves."""

from __future__ import annotations

from typing import Any

from llmobs.api import names
from llmobs.api.settings import Images
from llmobs.catalogue.sidecar import BINARY
from llmobs.kit.durations import seconds
from llmobs.plan.collector import exporters, hashing, policies, remotewrite
from llmobs.plan.collector.configmap import FILE
from llmobs.plan.collector.objects import PORTS
from llmobs.plan.collector.sinks import Sink
from llmobs.plan.collector.site import Site
from llmobs.plan.collector.sizes import mebibytes
from llmobs.plan.inputs import Manifest

FOLDER = "/etc/llmobs/collector"
USER = 10001

MEMORY_SHARE = 0.8
"""Part of a pod's memory that the heap may take; the rest is what Go cannot count."""


def deployment(site: Site, configuration: str) -> Manifest:
    """The Deployment whose pods run the configuration in the ConfigMap of that name.

    A refused configuration stops at the init container; ``maxUnavailable: 0`` keeps the last good one serving meanwhile.
    """
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": site.metadata(),
        "spec": {
            # with autoscaling the number is not ours to say
            **({} if site.max_replicas else {"replicas": site.replicas}),
            "revisionHistoryLimit": 3,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "selector": {"matchLabels": dict(site.identity)},
            "template": {
                "metadata": {"labels": {**site.labels, names.INJECT: "false"}},
                "spec": _pod(site, configuration),
            },
        },
    }


def _pod(site: Site, configuration: str) -> dict[str, Any]:
    secrets = _secrets(site)
    mounts = [{"name": "config", "mountPath": FOLDER, "readOnly": True}]
    mounts += [{"name": f"credentials-{index}", "mountPath": sink.folder, "readOnly": True} for index, sink in enumerate(secrets)]
    disk = site.inputs.settings.gateway.queue_on_disk
    mounts += [{"name": "queue", "mountPath": exporters.FOLDER}] if disk else []
    return {
        "serviceAccountName": site.name,
        "automountServiceAccountToken": True,  # k8s_attributes watches pods
        "terminationGracePeriodSeconds": drain(site.inputs.settings.gateway.scrape_interval) + 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [_spread(site, "kubernetes.io/hostname"), _spread(site, "topology.kubernetes.io/zone")],
        **_pull_secrets(site.inputs.settings.images),
        "initContainers": [_validate(site, mounts)],
        "containers": [_collector(site, mounts)],
        "volumes": [{"name": "config", "configMap": {"name": configuration}}, *_volumes(secrets), *_queue(disk)],
    }


def _pull_secrets(images: Images) -> dict[str, Any]:
    return {"imagePullSecrets": [{"name": name} for name in images.pull_secrets]} if images.pull_secrets else {}


def _spread(site: Site, key: str) -> dict[str, Any]:
    """Over nodes and zones as evenly as the cluster allows; a pod on the wrong node counts calls, one that waits does not."""
    return {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {"matchLabels": dict(site.identity)}}


def _secrets(site: Site) -> list[Sink]:
    traced = [sink for group in policies.routes(site.inputs.governing).values() for sink in group]
    every = {sink.handle: sink for sink in [*traced, *(writer.sink for writer in _writers(site))] if sink.secret}
    return [every[handle] for handle in sorted(every)]


def _writers(site: Site) -> tuple[remotewrite.Writer, ...]:
    return remotewrite.writers(site.inputs, alone=site.confined)


def _volumes(sinks: list[Sink]) -> list[dict[str, Any]]:
    """A key that is missing keeps a pod from starting and says so: a receiver without its credential would lose traces in silence."""
    return [
        {
            "name": f"credentials-{index}",
            "secret": {"secretName": sink.secret.name, "defaultMode": 0o440, "items": [{"key": sink.secret.key, "path": sink.secret.key}]},
        }
        for index, sink in enumerate(sinks)
        if sink.secret
    ]


def _queue(size: str) -> list[dict[str, Any]]:
    """It lives as long as its pod, so it outlives the collector's process and the node's restart, and no rollout waits for a volume."""
    return [{"name": "queue", "emptyDir": {"sizeLimit": size}}] if size else []


def _validate(site: Site, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "validate",
        "command": [BINARY],
        "args": ["validate", f"--config={FOLDER}/{FILE}"],
        # the status of the pod then carries the collector's own words
        "terminationMessagePolicy": "FallbackToLogsOnError",
        **_shared(site, mounts),
    }


def _collector(site: Site, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": "collector",
        "command": [BINARY],
        "args": [f"--config={FOLDER}/{FILE}"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "ports": [{"name": name, "containerPort": port, "protocol": "TCP"} for name, port in PORTS.items()],
        # calls that were counted since Prometheus last read this pod would be lost with it
        "lifecycle": {"preStop": {"sleep": {"seconds": drain(site.inputs.settings.gateway.scrape_interval)}}},
        "startupProbe": {**_probe(), "periodSeconds": 2, "failureThreshold": 60},
        "readinessProbe": {**_probe(), "periodSeconds": 5, "failureThreshold": 2},
        "livenessProbe": {**_probe(), "periodSeconds": 10, "failureThreshold": 6},
        **_shared(site, mounts),
    }


def _shared(site: Site, mounts: list[dict[str, Any]]) -> dict[str, Any]:
    images = site.inputs.settings.images
    return {
        "image": images.located(images.collector),
        "imagePullPolicy": images.pull_policy,
        "env": [
            {"name": "MY_POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
            {"name": "GOMEMLIMIT", "value": heap(site.memory)},
            *(remotewrite.environment() if _writers(site) else ()),
            *hashing.environment(policies.contents(site.inputs.governing)),
        ],
        "resources": {"requests": {"cpu": site.cpu, "memory": site.memory}, "limits": {"memory": site.memory}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": mounts,
    }


def _probe() -> dict[str, Any]:
    return {"httpGet": {"path": "/", "port": "health"}, "timeoutSeconds": 3}


def drain(scrape_interval: str) -> int:
    """Seconds a pod stays after it is taken out of the Service: long enough to be read once more, with a margin for late looks."""
    return round(seconds(scrape_interval)) + 5


def heap(memory: str) -> str:
    """Go's limit on its heap, for a pod with this memory (``512Mi`` or ``2Gi``)."""
    return f"{int(mebibytes(memory) * MEMORY_SHARE)}MiB"
