"""The workloads behind pods: what is seen of them, how often their containers restarted, and the changes that restart them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from llmobs.api import names
from llmobs.api.workload import Workload
from llmobs.catalogue import sidecar
from llmobs.catalogue.languages import languages
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.kinds import CRON_JOB, DAEMON_SET, DEPLOYMENT, STATEFUL_SET, Resource
from llmobs.inject.identity import workload
from llmobs.inject.pod import Meta
from llmobs.inject.workload import TEMPLATES
from llmobs.plan.rollback import Observed

CHANGEABLE: Mapping[str, Resource] = {item.kind: item for item in (DEPLOYMENT, STATEFUL_SET, DAEMON_SET, CRON_JOB)}
"""The kinds whose pod template can be changed."""

SKEW = 60.0
"""Seconds by which a node's clock may be ahead of ours."""

_OURS = frozenset(item.files.init_container for item in languages().values() if item.files)
_VOLUMES = frozenset(item.files.volume for item in languages().values() if item.files)
_NOT_STARTED = frozenset(
    {
        *("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
    }
)
"""What the kubelet says of a container that it can't start."""
_NOT_PULLED = frozenset({"ErrImagePull", "ImagePullBackOff"})
"""What it says of one whose image it can't have now."""


def behind(pod: Manifest) -> Workload:
    """The workload of a pod; the pod itself where nothing we know controls it."""
    return workload(msgspec.convert(pod["metadata"], Meta)) or Workload("Pod", str(pod["metadata"]["name"]))


class Restarts:
    """How often the containers of a namespace's pods restarted lately. The API server only tells totals, so that they are remembered."""

    def __init__(self) -> None:
        self._seen: dict[str, dict[str, list[tuple[datetime, int]]]] = {}

    def note(self, namespace: str, pods: Iterable[Manifest], now: datetime) -> None:
        """Remember the totals of all pods of a namespace as they are now."""
        before = self._seen.get(namespace, {})
        self._seen[namespace] = {uid: [*before.get(uid, []), (now, total(pod))] for pod in pods if (uid := str(pod["metadata"].get("uid")))}

    def within(self, pod: Manifest, namespace: str, *, window: float, now: datetime) -> int:
        """Restarts within ``window`` seconds. Of a pod that is older than that and was not seen then: since it was first seen."""
        # far in the future: one of the clocks was set, and of the pod's age nothing is known
        if -SKEW <= uptime(pod, now) <= window:
            return total(pod)
        seen = self._seen.get(namespace, {}).get(str(pod["metadata"].get("uid")), [])
        while len(seen) > 1 and (now - seen[1][0]).total_seconds() >= window:
            seen.pop(0)
        return total(pod) - seen[0][1] if seen else 0


def total(pod: Manifest) -> int:
    """Restarts of the container that restarted most, of those that instrumentation concerns."""
    return max((int(item.get("restartCount", 0)) for item in _concerned(pod)), default=0)


def uptime(pod: Manifest, now: datetime) -> float:
    """Seconds since a pod was started on its node; 0 for one that was not."""
    started = (pod.get("status") or {}).get("startTime")
    return (now - datetime.fromisoformat(started)).total_seconds() if started else 0.0


def _concerned(pod: Manifest) -> list[Mapping[str, Any]]:
    status, spec = pod.get("status") or {}, pod.get("spec") or {}
    found = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
    if not _marked(pod):
        return found
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    ours = {item["name"] for item in containers if any(entry["name"].startswith("LLMOBS_") for entry in item.get("env") or [])}
    return [item for item in found if item["name"] in ours | _OURS]


def _marked(pod: Manifest) -> bool:
    return (pod["metadata"].get("labels") or {}).get(names.INJECTED) == "true"


def observed(pod: Manifest, *, restarts: int, now: datetime) -> Observed:
    """What matters of a pod."""
    annotations = pod["metadata"].get("annotations") or {}
    conditions = {item["type"]: item["status"] for item in (pod.get("status") or {}).get("conditions") or []}
    waiting = [((item.get("state") or {}).get("waiting") or {}).get("reason") for item in _concerned(pod)]
    return Observed(
        name=str(pod["metadata"]["name"]),
        injected=_marked(pod),
        revision=str(annotations.get(names.POLICY_REVISION, "")),
        rolled_back=names.ROLLED_BACK in annotations,
        restarts=restarts,
        backing_off="CrashLoopBackOff" in waiting,
        kept_out=any(map(_keeps_out(pod, _NOT_STARTED), _concerned(pod))),
        images=_images(pod),
        waits=any(map(_keeps_out(pod, _NOT_PULLED), _concerned(pod))),
        started=_started(pod),
        ready=conditions.get("Ready") == "True",
        up=uptime(pod, now),
    )


def _images(pod: Manifest) -> tuple[str, ...]:
    """Ours, by init containers, the collector and volumes."""
    spec = pod.get("spec") or {}
    containers = [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]
    found = {str(item.get("image", "")) for item in containers if item["name"] in _OURS or item["name"] == sidecar.CONTAINER}
    found |= {
        str(item["image"].get("reference", "")) for item in spec.get("volumes") or [] if item["name"] in _VOLUMES and item.get("image")
    }
    return tuple(sorted(found))


def _started(pod: Manifest) -> bool:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return any(item["name"] != sidecar.CONTAINER and {"running", "terminated"} & (item.get("state") or {}).keys() for item in statuses)


def _keeps_out(pod: Manifest, reasons: Container[str]) -> Callable[[Mapping[str, Any]], bool]:
    """Whether a container's status says, with one of ``reasons``, that ours can't be started, or the image of our volume not be had."""
    volumes = (pod.get("spec") or {}).get("volumes") or []
    images = [str((item.get("image") or {}).get("reference", "")) for item in volumes if item["name"] in _VOLUMES and item.get("image")]

    def keeps(status: Mapping[str, Any]) -> bool:
        waiting = (status.get("state") or {}).get("waiting") or {}
        said = str(waiting.get("message", ""))
        ours = status["name"] in _OURS or status["name"] == sidecar.CONTAINER or any(image in said for image in images)
        return ours and str(waiting.get("reason")) in reasons

    return keeps


async def find(client: Client, where: Workload, namespace: str) -> Manifest | None:
    """A workload as it is; None for one that is gone, or of a kind whose pods can't be changed."""
    kind = CHANGEABLE.get(where.kind)
    found = None if kind is None else await client.get(kind, where.name, namespace=namespace)
    return None if found is None or kind is None else {**found, "apiVersion": kind.api_version, "kind": kind.kind}


def annotation(body: Manifest, name: str) -> str | None:
    """The value of an annotation of a workload's pod template."""
    found: Any = body
    for part in (*TEMPLATES[body["kind"]], "metadata", "annotations"):
        found = (found or {}).get(part)
    value = (found or {}).get(name)
    return None if value is None else str(value)


def keeps_pods(body: Manifest) -> bool:
    """Whether a workload's pods that run stay until new ones are well."""
    return bool(body["kind"] == DEPLOYMENT.kind and (body["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


async def annotate(client: Client, body: Manifest, name: str, value: str | None, *, own: Mapping[str, str | None] | None = None) -> None:
    """Set an annotation of a workload's pod template, or remove it, which restarts it; and its ``own``, which doesn't.

    Refused when the workload has changed meanwhile.
    """
    patch: Manifest = {"metadata": {"annotations": {name: value}}}
    for part in reversed(TEMPLATES[body["kind"]]):
        patch = {part: patch}
    meta = body["metadata"]
    patch["metadata"] = {"resourceVersion": meta["resourceVersion"], "annotations": dict(own or {})}
    await client.merge(CHANGEABLE[body["kind"]], meta["name"], patch, namespace=meta["namespace"])
