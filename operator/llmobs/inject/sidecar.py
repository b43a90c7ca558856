"""The collector inside a pod (collector.mode Sidecar): its container, and where it can't be added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import Raw, json

from llmobs.api import names
from llmobs.api.effective import Policy
from llmobs.api.settings import Images, Settings
from llmobs.api.v1alpha1.collector import NATIVE_SIDECARS, CollectorMode
from llmobs.catalogue import sidecar
from llmobs.inject.pod import Container, Spec
from llmobs.inject.qos import KubernetesVersion, Wish, Wishes
from llmobs.inject.ranges import Ranges, uncounted
from llmobs.inject.restricted import SECURITY_CONTEXT
from llmobs.kit import quantity

_PROBE = {"httpGet": {"path": "/", "port": sidecar.HEALTH_PORT}}

_BURST = 5
"""How much more CPU than it requests it may take where its pod has limits: to start, and for a long prompt."""


@dataclass(frozen=True)
class Sidecar:
    """The collector of a policy's pods, ready."""

    container: bytes
    """Without resources, and without what makes it an init container."""
    wishes: Wishes
    native: bool
    """Whether the platform lets API servers be asked for native sidecars."""
    counts: bool
    """Whether what it asks for may count against quotas."""
    content: str
    """Changes when what it is told to do with prompts and answers changes: pods read that when they start."""

    def among_inits(self, version: KubernetesVersion) -> bool:
        """Whether it is a native sidecar on this API server; otherwise it is one more app container, which a Job would wait for."""
        return self.native and version >= NATIVE_SIDECARS

    def asked(self, ranges: Ranges) -> Ranges:
        """What the namespace asks of its figures."""
        return uncounted(ranges) if self.counts else ranges

    def manifest(self, resources: Mapping[str, Any], *, native: bool) -> Raw:
        """The container with these resources; empty ones are left out."""
        more = {**({"restartPolicy": "Always"} if native else {}), **({"resources": resources} if resources else {})}
        return Raw(self.container[:-1] + b"," + json.encode(more)[1:] if more else self.container)


def compiled(policy: Policy, settings: Settings, namespace: str) -> Sidecar | None:
    """The collector of a policy's pods; None where it has none. ``namespace`` is the gateway's."""
    if policy.spec.collector.mode is not CollectorMode.SIDECAR:
        return None
    asked = settings.sidecar
    cpu, memory = quantity.thousandths(asked.cpu), quantity.thousandths(asked.memory)
    container = _container(settings.images, names.sidecar(policy.identity.name), namespace, memory // quantity.MEBIBYTE)
    return Sidecar(
        container=json.encode(container),
        wishes=(Wish("cpu", quantity.cpu, cpu, _BURST * cpu), Wish("memory", quantity.memory, memory, memory)),
        native=asked.native,
        counts=asked.counts_against_quota,
        content=repr(policy.spec.content),
    )


def _container(images: Images, configuration: str, namespace: str, mebibytes: int) -> dict[str, Any]:
    # optional: a pod must start when the controller has been away, or is gone
    source = {"configMapKeyRef": {"name": configuration, "key": sidecar.FILE, "optional": True}}
    return {
        "name": sidecar.CONTAINER,
        "image": images.located(images.collector),
        "imagePullPolicy": images.pull_policy,
        "command": [sidecar.BINARY],
        "args": [f"--config={sidecar.built_in(names.gateway_endpoint(namespace), mebibytes)}", f"--config=env:{sidecar.VARIABLE}"],
        "env": [{"name": sidecar.VARIABLE, "valueFrom": source}, {"name": "GOMEMLIMIT", "value": f"{mebibytes * 8 // 10}MiB"}],
        # no readiness probe: whether the application serves is not for us to say
        "startupProbe": {
            "httpGet": {"path": "/", "port": sidecar.HEALTH_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 2,
            "failureThreshold": 60,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": SECURITY_CONTEXT,
    }


def ours(container: Container) -> bool:
    """Whether this is our collector."""
    return container.name == sidecar.CONTAINER and any(item.name == sidecar.VARIABLE for item in container.env or ())


def present(spec: Spec) -> bool:
    """Whether the pod has our collector, in either place."""
    return any(map(ours, every(spec)))


def taken(spec: Spec) -> bool:
    """Whether another container has its name, or says that it listens on one of its ports."""
    others = [item for item in every(spec) if not ours(item)]
    listening = {port.container_port for item in others for port in item.ports or ()}
    return not listening.isdisjoint(sidecar.PORTS) or any(item.name == sidecar.CONTAINER for item in others)


def every(spec: Spec) -> Iterable[Container]:
    """All containers of a pod."""
    return [*(spec.init_containers or ()), *(spec.containers or ())]


def must_complete(spec: Spec) -> bool:
    """Whether the pod ends when its containers have."""
    return spec.restart_policy not in ("", "Always")
