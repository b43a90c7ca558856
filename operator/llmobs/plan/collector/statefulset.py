"""The StatefulSet in the place of the gateway's Deployment, where queues lie on volumes that outlive their pods."""

from __future__ import annotations

from typing import Any

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest

QUEUE = "queue"
"""The volume's name in the pod."""


def statefulset(site: Site, deployment: Manifest) -> Manifest:
    """The StatefulSet with the pods of ``deployment``, each with a claim of its own in place of the node's disk.

    A volume is mounted by one pod, so a pod goes before its successor comes. ``Parallel``: a pod that does not start keeps no other from
    starting, and is replaced as soon as there is a better configuration.
    """
    spec, gateway = deployment["spec"], site.inputs.settings.gateway
    pod = spec["template"]["spec"]
    volumes = [item for item in pod["volumes"] if item["name"] != QUEUE]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": deployment["metadata"],
        "spec": {
            "replicas": site.replicas,
            "serviceName": site.name,
            "revisionHistoryLimit": spec["revisionHistoryLimit"],
            "podManagementPolicy": "Parallel",
            "updateStrategy": {"type": "RollingUpdate"},
            # what waits for a backend is worth nothing to an installation that is gone, and much to one that is made smaller by mistake
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
            "selector": spec["selector"],
            "template": {**spec["template"], "spec": {**pod, "volumes": volumes}},
            "volumeClaimTemplates": [_claim(site, gateway.queue_storage_class, gateway.queue_on_disk)],
        },
    }


def _claim(site: Site, storage_class: str, size: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class, "resources": {"requests": {"storage": size}}}
    return {"metadata": {"name": QUEUE, "labels": dict(site.labels)}, "spec": spec}
