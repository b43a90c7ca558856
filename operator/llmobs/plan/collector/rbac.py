"""What the gateway of a policy may read: the pods of its namespace, to tell whose connection it is."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest

_API = "rbac.authorization.k8s.io"


def rbac(site: Site) -> tuple[Manifest, Manifest]:
    """The role and its binding to the gateway's account. Those of the platform's gateway are of the chart."""
    # names of Deployments and CronJobs follow from the names of what they own
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
    role = {"apiVersion": f"{_API}/v1", "kind": "Role", "metadata": site.metadata(), "rules": [rule]}
    binding = {
        "apiVersion": f"{_API}/v1",
        "kind": "RoleBinding",
        "metadata": site.metadata(),
        "roleRef": {"apiGroup": _API, "kind": "Role", "name": site.name},
        "subjects": [{"kind": "ServiceAccount", "name": site.name, "namespace": site.namespace}],
    }
    return role, binding
