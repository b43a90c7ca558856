"""How the gateway is doing: rolled out, rolling out, or why not, in the collector's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.kinds import DEPLOYMENT, EVENT, POD, STATEFUL_SET

_WORDS = 1500
"""Characters of a collector's message that are kept: the end, where the cause stands."""
_MISSING = (
    re.compile(r'secret "(?P<secret>[^"]+)" not found'),
    re.compile(r"(?:secret|Secret) (?P<secret>[-a-z0-9.]+/[-a-z0-9.]+) not registered"),
)
_MISSING_KEY = re.compile(r"references non-existent secret key: (?P<key>[-._a-zA-Z0-9]+)")


async def rollout(client: Client, namespace: str, name: str = names.GATEWAY) -> Finding:
    """The condition CollectorReady of a gateway: the shared one, or that of a policy."""
    deployment = await client.get(DEPLOYMENT, name, namespace=namespace) or await client.get(STATEFUL_SET, name, namespace=namespace)
    if deployment is None:
        return finding(Status.FALSE, Reason.NOT_AVAILABLE, f"there is no Deployment or StatefulSet {namespace}/{name}")
    if complete(deployment):
        wanted = deployment["spec"].get("replicas", 1)
        return finding(Status.TRUE, Reason.ROLLED_OUT, f"{wanted} of {wanted} pods of the gateway run this configuration")
    selector = ",".join(f"{key}={value}" for key, value in deployment["spec"]["selector"]["matchLabels"].items())
    pods, _ = await client.list(POD, namespace=namespace, labels=selector)
    return stuck(pods) or await _unmounted(client, namespace, pods) or progress(deployment)


def finding(status: Status, reason: Reason, message: str) -> Finding:
    """A finding on the gateway."""
    return Finding(ConditionType.COLLECTOR_READY, status, reason, message)


def complete(deployment: Manifest) -> bool:
    """Whether every pod is of the newest template and available."""
    status = deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    figures = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    return bool(seen and figures == [wanted] * 3)


def progress(deployment: Manifest) -> Finding:
    """A rollout under way."""
    status = deployment.get("status") or {}
    wanted = deployment["spec"].get("replicas", 1)
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    said = f"{updated} of {wanted} pods of the gateway are of this configuration, {available} serve"
    return finding(Status.UNKNOWN, Reason.ROLLING_OUT, said)


def stuck(pods: Iterable[Manifest]) -> Finding | None:
    """What keeps a pod from starting, when its containers tell."""
    for pod in pods:
        for state, is_init in _states(pod):
            if (found := _refusal(pod, state, is_init=is_init)) is not None:
                return found
    return None


def _states(pod: Manifest) -> Iterator[tuple[Mapping[str, Any], bool]]:
    status = pod.get("status") or {}
    for item in status.get("initContainerStatuses") or []:
        yield item, True
    for item in status.get("containerStatuses") or []:
        yield item, False


def _refusal(pod: Manifest, container: Mapping[str, Any], *, is_init: bool) -> Finding | None:
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    ended = state.get("terminated") or (container.get("lastState") or {}).get("terminated") or {}
    failed = ended.get("exitCode", 0) != 0 and "running" not in state
    where = f"container {container['name']} of pod {pod['metadata']['name']}"
    if waiting.get("reason") in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"):
        return finding(Status.FALSE, Reason.NOT_AVAILABLE, f"{where}: {waiting['reason']}: {waiting.get('message', '')}".rstrip(": "))
    if not failed:
        return None
    words = str(ended.get("message") or ended.get("reason") or "no message").strip()[-_WORDS:]
    if is_init:
        said = f"the collector refuses its new configuration; the previous one keeps serving. It says: {words}"
        return finding(Status.FALSE, Reason.CONFIGURATION_REFUSED, said)
    return finding(Status.FALSE, Reason.NOT_AVAILABLE, f"{where} ended with {ended.get('exitCode')}: {words}")


async def _unmounted(client: Client, namespace: str, pods: Iterable[Manifest]) -> Finding | None:
    starting = {pod["metadata"]["uid"] for pod in pods if (pod.get("status") or {}).get("phase") == "Pending"}
    if not starting:
        return None
    events, _ = await client.list(EVENT, namespace=namespace, fields="involvedObject.kind=Pod,reason=FailedMount")
    told = [item for item in events if item["involvedObject"].get("uid") in starting]
    return missing((str(item.get("message", "")) for item in told), namespace=namespace)


def missing(messages: Iterable[str], *, namespace: str) -> Finding | None:
    """The Secret, or the key of one, that a mount did not find."""
    for message in messages:
        if (key := _MISSING_KEY.search(message)) is not None:
            said = f"a Secret that a receiver of traces names has no key {key['key']}: {message}"
            return finding(Status.FALSE, Reason.SECRET_MISSING, said)
        for pattern in _MISSING:
            if (found := pattern.search(message)) is not None:
                said = f"Secret {found['secret']} that a receiver of traces names does not exist in namespace {namespace}; create it"
                return finding(Status.FALSE, Reason.SECRET_MISSING, said)
    return None
