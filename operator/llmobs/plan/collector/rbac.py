"""What a gateway may read: pods, to tell whose connection it is; of every namespace, or of its own."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest

_API = "rbac.authorization.k8s.io"
_VERBS = ["get", "list", "watch"]


def rbac(site: Site) -> tuple[Manifest, Manifest]:
    """The role and its binding to the gateway's account."""
    scope = "" if site.confined else "Cluster"
    # names of Deployments and CronJobs follow from the names of what they own
    rule = {"apiGroups": [""], "resources": ["pods"] if site.confined else ["pods", "namespaces"], "verbs": _VERBS}
    role = {"apiVersion": f"{_API}/v1", "kind": f"{scope}Role", "metadata": site.metadata(namespaced=site.confined), "rules": [rule]}
    binding = {
        "apiVersion": f"{_API}/v1",
        "kind": f"{scope}RoleBinding",
        "metadata": site.metadata(namespaced=site.confined),
        "roleRef": {"apiGroup": _API, "kind": f"{scope}Role", "name": site.name},
        "subjects": [{"kind": "ServiceAccount", "name": site.name, "namespace": site.namespace}],
    }
    return role, binding
