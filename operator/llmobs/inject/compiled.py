"""A policy made ready once, when it changes, so that each pod costs little: selectors as sets, JSON as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from functools import cached_property
from types import FunctionType
from typing import Any

import msgspec

from llmobs.api import names
from llmobs.api.effective import Policy
from llmobs.api.settings import Settings
from llmobs.api.v1alpha1.collector import CollectorMode
from llmobs.api.v1alpha1.injection import Delivery as DeliveryKind
from llmobs.api.v1alpha1.injection import EnvVar, InjectionMode, OnOtherAgent
from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.catalogue.language import Files
from llmobs.catalogue.languages import languages
from llmobs.catalogue.sidecar import CONTAINER
from llmobs.catalogue.sidecar import ENDPOINT as SIDECAR_ENDPOINT
from llmobs.inject import exporter
from llmobs.inject.identity import NODE_NAME, POD_NAME, POD_UID, encoded
from llmobs.inject.otel import ATTRIBUTES
from llmobs.inject.patch import OPEN, Appending, Block, appending, entries, fragment
from llmobs.inject.qos import Wishes, wishes
from llmobs.inject.restricted import SECURITY_CONTEXT
from llmobs.inject.sidecar import Sidecar
from llmobs.inject.sidecar import compiled as compiled_sidecar

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
"""Without it the cluster autoscaler keeps a node because of our emptyDir."""

RESOURCE_ATTRIBUTES = "LLMOBS_RESOURCE_ATTRIBUTES"


@dataclass(frozen=True)
class Platform:
    """What is the same for all policies."""

    settings: Settings = field(default_factory=Settings)
    namespace: str = "llmobs-system"
    """The operator's namespace, where the gateway lives."""


@dataclass(frozen=True)
class Delivery:
    """One language, ready: how its files get into a pod."""

    files: Files
    volume: msgspec.Raw
    container: bytes | None
    """The init container without resources; none where the image itself is the volume."""
    from_copy: msgspec.Raw
    """The mount of an emptyDir that the files are copied into."""
    from_image: msgspec.Raw
    """The mount of the image itself."""

    @property
    def mount(self) -> msgspec.Raw:
        """The mount of its volume."""
        return self.from_copy if self.container else self.from_image

    def init_container(self, resources: Mapping[str, Any]) -> msgspec.Raw:
        """The init container with these resources; empty ones are left out."""
        container = self.container or b"{}"
        if not resources:
            return msgspec.Raw(container)
        return msgspec.Raw(container[:-1] + b',"resources":' + msgspec.json.encode(resources) + b"}")


def _init_container(files: Files, image: str, pull_policy: str) -> dict[str, Any]:
    return {
        "name": files.init_container,
        "image": image,
        "imagePullPolicy": pull_policy,
        "command": list(files.command),
        "volumeMounts": [{"name": files.volume, "mountPath": files.copy_path}],
        "securityContext": SECURITY_CONTEXT,
    }


@dataclass(frozen=True, eq=False)
class CompiledPolicy:
    """One policy, ready. ``key`` and ``revision`` are what an injected pod is annotated with."""

    key: str
    revision: str
    created: str
    mode: InjectionMode
    selector: LabelSelector
    include: frozenset[str]
    exclude: frozenset[str]
    deliveries: tuple[Delivery, ...]
    variables: Mapping[str, msgspec.Raw]
    """JSON by name of the variables that are the same in every pod, in the order in which they refer to one another."""
    extra: Mapping[str, msgspec.Raw]
    """The policy's own variables, which come last because they may refer to the others."""
    paths: Mapping[str, str]
    """The policy's values of variables that list paths: they stand before our entry where the pod sets none."""
    attributes: Mapping[str, str]
    """The policy's resource attributes, percent-encoded."""
    annotations: Mapping[str, str]
    """The annotations that say who injected."""
    own: frozenset[str]
    """Names of our containers, which are never instrumented."""
    exporter: Mapping[str, msgspec.Raw]
    """JSON by name of OpenTelemetry's own variables for where to send; empty unless the application's own SDK is meant."""
    metrics: Mapping[str, msgspec.Raw]
    """The same for metrics; empty unless calls are counted from them."""
    own_sdk: bool
    """Whether the policy is for applications that bring their own SDK."""
    joins: bool
    """Whether pods that another agent instruments are instrumented beside it."""
    stated: str
    """The policy's own value of OTEL_RESOURCE_ATTRIBUTES, for a container that has none."""
    wishes: Wishes
    """What the init containers would like to have."""
    pull_secrets: tuple[str, ...]
    """Names of the Secrets with credentials for the images of our containers."""
    sidecar: Sidecar | None = None
    """The collector in its pods."""
    native: bool = False
    """Whether the API server itself instruments, by an admission policy."""
    since: int = 0
    """The generation since which it does to pods what it does now; 0 where that is not known."""

    @property
    def digest(self) -> str:
        """Changes when what it does to a pod changes; which pods those are does not matter."""
        return names.short(repr({item.name: _stable(getattr(self, item.name)) for item in fields(self) if item.name not in _WHICH}))

    def outdated(self, revision: str) -> bool:
        """Whether a pod that was instrumented by ``revision`` is otherwise than it would be now."""
        uid, _, generation = revision.rpartition(".")
        own, _, newest = self.revision.rpartition(".")
        return uid != own or not generation.isdecimal() or int(generation) < (self.since or int(newest))

    @cached_property
    def lists(self) -> Mapping[str, str]:
        """The values of the variables that list paths, for a container that sets none of them."""
        files = [item.files for item in self.deliveries]
        return {item.variable: item.joined(self.paths.get(item.variable, "")) for item in files}

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all variables that a container gets."""
        return frozenset([*self.variables, RESOURCE_ATTRIBUTES, *self.extra, *self.lists])

    @cached_property
    def copies(self) -> tuple[Delivery, ...]:
        """Those of its languages whose files an init container copies."""
        return tuple(item for item in self.deliveries if item.container)

    @cached_property
    def volumes(self) -> frozenset[str]:
        """The names of its volumes."""
        return frozenset(item.files.volume for item in self.deliveries)

    @cached_property
    def volumes_of(self) -> Block:
        """Its volumes, for a pod that has some, but none of these."""
        return appending("/volumes", [item.volume for item in self.deliveries]).at("/spec")

    @cached_property
    def annotated(self) -> frozenset[str]:
        """All annotations that a pod may get."""
        return frozenset([*self.annotations, SAFE_TO_EVICT])

    @cached_property
    def ours(self) -> Appending:
        """The variables of a container that has none of them; its resource attributes are left open."""
        lists = [{"name": name, "value": value} for name, value in self.lists.items()]
        return appending("/env", [*self.variables.values(), {"name": RESOURCE_ATTRIBUTES, "value": OPEN}, *self.extra.values(), *lists])

    @cached_property
    def mounts(self) -> Appending:
        """The mounts of a container that has none of ours."""
        return appending("/volumeMounts", [item.mount for item in self.deliveries])

    @cached_property
    def marks_of(self) -> Mapping[str, str]:
        """The annotations of a pod that has none of ours."""
        volumes = ",".join(item.files.volume for item in self.copies)
        return {**self.annotations, **({SAFE_TO_EVICT: volumes} if volumes else {})}

    @cached_property
    def marks(self) -> Block:
        """They, ready to be added."""
        return entries("/metadata/annotations", self.marks_of)

    @property
    def rank(self) -> tuple[int, str, str]:
        """Position among the policies of a namespace: most requirements, then the oldest, then the name."""
        return (-self.selector.requirements, self.created, self.key)


_WHICH = ("key", "revision", "created", "selector", "annotations", "native", "since")
"""Fields that say which policy this is, for which pods, and who carries it out."""


def _stable(value: Any) -> Any:
    """A value whose text is the same in every process."""
    if isinstance(value, msgspec.Raw):
        return bytes(value)
    if isinstance(value, FunctionType):
        return value.__qualname__
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return [(key, _stable(item)) for key, item in value.items()]
    if isinstance(value, tuple):
        return [_stable(item) for item in value]
    return [_stable(getattr(value, item.name)) for item in fields(value)] if is_dataclass(value) else repr(value)


def compiled(policy: Policy, platform: Platform) -> CompiledPolicy:
    """``policy`` made ready for admission."""
    injection = policy.spec.injection
    chosen = [languages()[name] for name in dict.fromkeys(injection.languages)]
    deliveries = tuple(_delivery(item.name, item.files, platform, injection.delivery) for item in chosen if item.files)
    own_sdk = any(item.own_sdk for item in chosen)
    lists = {item.files.variable for item in deliveries}
    beside = compiled_sidecar(policy, platform.settings, platform.namespace)
    constant = _constant(policy, platform, files=bool(deliveries))
    apart = {*constant, RESOURCE_ATTRIBUTES, *lists, *((ATTRIBUTES,) if own_sdk else ())}
    return CompiledPolicy(
        key=policy.key,
        revision=policy.identity.revision,
        created=policy.identity.created,
        mode=injection.mode,
        selector=policy.spec.selector,
        include=frozenset(injection.containers.include),
        exclude=frozenset(injection.containers.exclude),
        deliveries=deliveries,
        variables=constant,
        extra={item.name: _variable(item) for item in injection.env if item.name not in apart},
        paths={item.name: item.value for item in injection.env if item.name in lists},
        attributes=encoded(policy.spec.attributes),
        annotations={names.POLICY: policy.key, names.POLICY_REVISION: policy.identity.revision, names.INJECTION: "Injected"},
        own=frozenset([*(item.files.init_container for item in deliveries), *((CONTAINER,) if beside else ())]),
        exporter=exporter.spans(_endpoint(policy, platform)) if own_sdk else {},
        metrics=exporter.metrics(_endpoint(policy, platform)) if own_sdk and policy.spec.collector.metered else {},
        own_sdk=own_sdk,
        joins=injection.on_other_agent is OnOtherAgent.ADD_EXPORTER and bool(deliveries),
        stated=next((item.value for item in injection.env if own_sdk and item.name == ATTRIBUTES), ""),
        wishes=wishes(injection.resources),
        pull_secrets=platform.settings.images.pull_secrets if deliveries or beside else (),
        sidecar=beside,
        native=platform.settings.admission.native,
    )


def _constant(policy: Policy, platform: Platform, *, files: bool) -> dict[str, msgspec.Raw]:
    downward = {POD_NAME: "metadata.name", POD_UID: "metadata.uid", NODE_NAME: "spec.nodeName"}
    fields = [(name, {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}) for name, path in downward.items()]
    if not files:
        return {name: fragment(entry) for name, entry in fields}
    values = {
        "LLMOBS_ENDPOINT": _endpoint(policy, platform),
        "LLMOBS_CONTENT": policy.spec.content.sent(gateway=not policy.spec.collector.external).value,
    }
    if policy.spec.injection.vector_stores:
        values["LLMOBS_VECTOR_STORES"] = "true"
    plain = [(name, {"name": name, "value": value}) for name, value in values.items()]
    return {name: fragment(entry) for name, entry in [*fields, *plain]}


def _endpoint(policy: Policy, platform: Platform) -> str:
    asked = policy.spec.collector
    if asked.mode is CollectorMode.DEDICATED:
        return names.gateway_endpoint(policy.identity.namespace, names.dedicated(policy.identity.name))
    if asked.mode is CollectorMode.SIDECAR:
        return SIDECAR_ENDPOINT
    return asked.endpoint or names.gateway_endpoint(platform.namespace)


def _variable(item: EnvVar) -> msgspec.Raw:
    return fragment({"name": item.name, "value": item.value})


def _delivery(name: str, files: Files, platform: Platform, how: DeliveryKind) -> Delivery:
    images = platform.settings.images
    image, policy = images.located(getattr(images, name)), images.pull_policy
    copied = how is DeliveryKind.INIT_CONTAINER
    source = {"emptyDir": {"sizeLimit": files.size_limit}} if copied else {"image": {"reference": image, "pullPolicy": policy}}
    mount = {"name": files.volume, "mountPath": files.mount_path, "readOnly": True}
    return Delivery(
        files=files,
        volume=fragment({"name": files.volume, **source}),
        container=bytes(fragment(_init_container(files, image, policy))) if copied else None,
        from_copy=fragment(mount),
        from_image=fragment({**mount, "subPath": files.image_path}),
    )
