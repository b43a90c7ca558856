"""Other injectors, simulated: each does its part once, to whatever it finds; and what of a pod may not depend on their order."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

Pod = dict[str, Any]
Webhook = Callable[[Pod], Pod]


def sidecar(pod: Pod, *, first: bool = False) -> Pod:
    """A container of its own, in front of the others or behind them."""
    made = copy.deepcopy(pod)
    if all(item["name"] != "mesh" for item in made["spec"]["containers"]):
        made["spec"]["containers"].insert(0 if first else len(made["spec"]["containers"]), {"name": "mesh", "image": "mesh"})
    return made


def front_sidecar(pod: Pod) -> Pod:
    """The sidecar in front: every container moves up."""
    return sidecar(pod, first=True)


def variable(pod: Pod) -> Pod:
    """A variable in every container."""
    made = copy.deepcopy(pod)
    for container in made["spec"]["containers"]:
        env = container.get("env") or []
        container["env"] = env if any(item["name"] == "EXTRA" for item in env) else [*env, {"name": "EXTRA", "value": "x"}]
    return made


def init_container(pod: Pod) -> Pod:
    """An init container before all others."""
    made = copy.deepcopy(pod)
    inits = made["spec"].get("initContainers") or []
    if all(item["name"] != "mesh-init" for item in inits):
        made["spec"]["initContainers"] = [{"name": "mesh-init", "image": "mesh"}, *inits]
    return made


def volume(pod: Pod) -> Pod:
    """A volume, and a mount of it in every container."""
    made = copy.deepcopy(pod)
    volumes = made["spec"].get("volumes") or []
    if all(item["name"] != "mesh" for item in volumes):
        made["spec"]["volumes"] = [{"name": "mesh", "emptyDir": {}}, *volumes]
    for container in made["spec"]["containers"]:
        mounts = container.get("volumeMounts") or []
        if all(item["name"] != "mesh" for item in mounts):
            container["volumeMounts"] = [{"name": "mesh", "mountPath": "/mesh"}, *mounts]
    return made


def annotation(pod: Pod) -> Pod:
    """An annotation."""
    made = copy.deepcopy(pod)
    made["metadata"]["annotations"] = {**(made["metadata"].get("annotations") or {}), "mesh.example.com/status": "done"}
    return made


OTHERS: tuple[Webhook, ...] = (sidecar, front_sidecar, variable, init_container, volume, annotation)


def admitted(pod: Pod, webhooks: Sequence[Webhook]) -> Pod:
    """The pod after an API server has called every webhook in order, and again those after which the pod was changed."""
    left: list[Pod] = []
    for webhook in webhooks:
        pod = webhook(pod)
        left.append(pod)
    for webhook, mine in zip(webhooks, left, strict=True):
        if mine != pod:
            pod = webhook(pod)
    return pod


def settled(pod: Pod) -> Pod:
    """What of a pod may not depend on the order of webhooks: everything but the order of its lists and our init container's figures."""
    meta, spec = pod["metadata"], pod["spec"]
    return {
        "labels": meta.get("labels") or {},
        "annotations": meta.get("annotations") or {},
        "containers": {item["name"]: _container(item) for item in spec["containers"]},
        "initContainers": {item["name"]: _container(item) for item in spec.get("initContainers") or []},
        "volumes": sorted(item["name"] for item in spec.get("volumes") or []),
    }


def _container(container: Pod) -> Pod:
    # As the kubelet reads them: of two variables of one name the last one counts.
    env = {item["name"]: item.get("value", item.get("valueFrom")) for item in container.get("env") or []}
    if isinstance(env.get("PYTHONPATH"), str):
        env["PYTHONPATH"] = set(env["PYTHONPATH"].split(":"))
    return {"env": env, "mounts": sorted((item["name"], item["mountPath"]) for item in container.get("volumeMounts") or [])}
