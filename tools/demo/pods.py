"""How the demo reads Kubernetes objects: what of a pod is shown, whether a Deployment has settled, why a pod is not ready."""

from __future__ import annotations

from typing import Any


def shown(pod: dict[str, Any]) -> dict[str, Any]:
    """The parts of a pod that injection is about; without what the API server fills in by itself."""
    meta, spec = pod["metadata"], pod["spec"]
    ours = ("llmobs.dev/", "cluster-autoscaler")
    marks = {kind: {k: v for k, v in (meta.get(kind) or {}).items() if k.startswith(ours)} for kind in ("labels", "annotations")}
    volumes = [volume for volume in spec.get("volumes", []) if not volume["name"].startswith("kube-api-access")]
    return {
        **{kind: found for kind, found in marks.items() if found},
        "volumes": volumes,
        "initContainers": [_container(one) for one in spec.get("initContainers", [])],
        "containers": [_container(one) for one in spec["containers"]],
    }


def _container(container: dict[str, Any]) -> dict[str, Any]:
    mounts = [mount for mount in container.get("volumeMounts", []) if not mount["name"].startswith("kube-api-access")]
    kept: dict[str, Any] = {key: container[key] for key in ("name", "image", "command", "env") if key in container}
    return {**kept, "volumeMounts": [f"{mount['name']}:{mount['mountPath']}" for mount in mounts]}


def settled(deployment: dict[str, Any]) -> bool:
    """Whether every replica is of the newest generation and available."""
    wanted, status = deployment["spec"]["replicas"], deployment.get("status", {})
    current = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return bool(current and status.get("updatedReplicas") == wanted and status.get("availableReplicas") == wanted)


def trouble(pod: dict[str, Any]) -> str:
    """Why a pod is not ready, in the kubelet's words."""
    states = [
        one.get("state", {}) for kind in ("initContainerStatuses", "containerStatuses") for one in pod.get("status", {}).get(kind, [])
    ]
    words = [state["waiting"]["reason"] for state in states if "waiting" in state]
    return f"{pod['metadata']['name']}: {', '.join(words)}" if words else ""


def true(resource: Any, kind: str) -> bool:
    """Whether a resource's condition of that type is True."""
    found = ((resource or {}).get("status") or {}).get("conditions") or []
    return any(one["type"] == kind and one["status"] == "True" for one in found)
