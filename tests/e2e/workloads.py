"""Small workloads for the node: namespaces, policies, Deployments and Jobs of the example's image."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from demo.kube import Kube, wait

IMAGE = "docker.io/llmobs/example-chat:demo"
RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def namespace(kube: Kube, name: str, *, spec: dict[str, Any] | None = None, **labels: str) -> None:
    """A namespace with a policy that instruments everything in it; waits until the policy applies."""
    meta = {"name": "all", "namespace": name}
    apply(kube, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    apply(kube, {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": meta, "spec": spec or {}})
    until(f"{name} has its policy", lambda: condition(kube, name, "Accepted") == ("True", "Accepted"))


def deployment(name: str, place: str, *command: str) -> dict[str, Any]:
    """A Deployment of one restricted container."""
    template = {"metadata": {"labels": {"app": name}}, "spec": pod_spec(*command)}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": place}, "spec": spec}


def job(name: str, place: str, *command: str) -> dict[str, Any]:
    """A Job that runs one restricted container once."""
    template = {"metadata": {"labels": {"app": name}}, "spec": {**pod_spec(*command), "restartPolicy": "Never"}}
    meta = {"name": name, "namespace": place}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"backoffLimit": 0, "template": template}}


def pod_spec(*command: str) -> dict[str, Any]:
    """A pod that restricted Pod Security takes."""
    return {
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "main", "image": IMAGE, "command": list(command), "securityContext": RESTRICTED}],
    }


def apply(kube: Kube, manifest: dict[str, Any]) -> None:
    """`kubectl apply`."""
    kube.run("apply", "-f", "-", stdin=json.dumps(manifest))


def pod(kube: Kube, place: str, app: str) -> dict[str, Any] | None:
    """The newest pod of an app."""
    found = (kube.get("pods", "-n", place, "-l", f"app={app}") or {}).get("items", [])
    return max(found, key=lambda item: str(item["metadata"]["creationTimestamp"]), default=None)


def injected(found: dict[str, Any]) -> bool:
    """Whether a pod carries our mark and our init container."""
    marked = (found["metadata"].get("labels") or {}).get("llmobs.dev/injected") == "true"
    return marked and any(item["name"] == "llmobs-python" for item in found["spec"].get("initContainers", []))


def status(found: dict[str, Any], container: str = "main", kind: str = "containerStatuses") -> dict[str, Any]:
    """The status of a container; empty before it has one."""
    every = found.get("status", {}).get(kind, [])
    return next((item for item in every if item["name"] == container), {})


def condition(kube: Kube, place: str, kind: str, *, name: str = "all") -> tuple[str, str] | None:
    """Status and reason of a policy's condition."""
    found = kube.get("llmobs", name, "-n", place) or {}
    every = (found.get("status") or {}).get("conditions") or []
    return next(((item["status"], item["reason"]) for item in every if item["type"] == kind), None)


def until(what: str, look: Callable[[], Any], *, seconds: float = 300) -> Any:
    """Look until something is there; Failed after ``seconds``."""
    return wait(what, look, seconds=seconds)
