"""What the gateway may read: the pods of every namespace, to tell whose connection it is."""

from __future__ import annotations

from llmobs.api import names
from llmobs.plan.collector.objects import everywhere
from llmobs.plan.inputs import Inputs, Manifest

_API = "rbac.authorization.k8s.io"


def cluster_role() -> Manifest:
    """Pods and namespaces, read only; names of Deployments and CronJobs follow from the names of what they own."""
    rule = {"apiGroups": [""], "resources": ["pods", "namespaces"], "verbs": ["get", "list", "watch"]}
    return {"apiVersion": f"{_API}/v1", "kind": "ClusterRole", "metadata": everywhere(), "rules": [rule]}


def cluster_role_binding(inputs: Inputs) -> Manifest:
    """The role for the gateway's account."""
    return {
        "apiVersion": f"{_API}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": everywhere(),
        "roleRef": {"apiGroup": _API, "kind": "ClusterRole", "name": names.GATEWAY},
        "subjects": [{"kind": "ServiceAccount", "name": names.GATEWAY, "namespace": inputs.facts.namespace}],
    }
