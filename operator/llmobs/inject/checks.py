"""The checks that a pod passes before it is instrumented, by name and in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from llmobs.api import names
from llmobs.api.v1alpha1.injection import IMAGE_VOLUMES
from llmobs.catalogue.language import Files
from llmobs.inject import sidecar
from llmobs.inject.agents import other_agent
from llmobs.inject.compiled import CompiledPolicy, Delivery
from llmobs.inject.env import left_out
from llmobs.inject.limits import inexpressible, unusual
from llmobs.inject.pod import Container, Meta, NodeTerm, Spec
from llmobs.inject.qos import beside
from llmobs.inject.ranges import uncounted
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace, asked, verdict
from llmobs.inject.targets import Target, targets
from llmobs.kit.quantity import thousandths

SHARE = 4
"""Our files may take this part of what a pod may keep on its node: what it needs for itself can't be seen, and above it is evicted."""
ANNOTATIONS = 262_144
"""Bytes that an API server takes of all keys and values of an object's annotations."""
MIRROR = "kubernetes.io/config.mirror"
SYSTEM_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")


class Case(NamedTuple):
    """What the checks look at; ``policy`` is the best of those that select the pod."""

    meta: Meta
    spec: Spec
    namespace: Namespace
    policy: CompiledPolicy | None
    targets: tuple[Target, ...] = ()
    """The containers that the policy is for."""
    there: tuple[Files, ...] = ()
    """The languages of the policy whose files the pod has already."""
    volumes: frozenset[str] = frozenset()
    """The names of the pod's volumes."""


def case(meta: Meta, spec: Spec, namespace: Namespace, policy: CompiledPolicy | None) -> Case:
    """The case of a pod and the policy that applies to it."""
    if policy is None:
        return Case(meta, spec, namespace, None)
    there = tuple([item.files for item in policy.deliveries if present(spec, item.files)])
    volumes = frozenset([volume.name for volume in spec.volumes or ()])
    return Case(meta, spec, namespace, policy, tuple(targets(spec, policy)), there, volumes)


@dataclass(frozen=True)
class Check:
    """One check: its name, and a function that gives the reason to leave the pod alone."""

    name: str
    fails: Callable[[Case], Reason | None]


def _asked(case: Case) -> Reason | None:
    return verdict(asked(case.meta.labels or {}, case.namespace.labels), case.policy)


def _mirror(case: Case) -> Reason | None:
    owned = [owner.kind for owner in case.meta.owner_references or ()]
    return Reason.MIRROR_POD if "Node" in owned or MIRROR in (case.meta.annotations or ()) else None


def _rolled_back(case: Case) -> Reason | None:
    return Reason.ROLLED_BACK if names.ROLLED_BACK in (case.meta.annotations or {}) else None


def _host_network(case: Case) -> Reason | None:
    return Reason.HOST_NETWORK if case.spec.host_network else None


def _windows(case: Case) -> Reason | None:
    spec = case.spec
    if spec.os is not None and spec.os.name == "windows":
        return Reason.WINDOWS_NODE
    if spec.node_selector and any(spec.node_selector.get(label) == "windows" for label in SYSTEM_LABELS):
        return Reason.WINDOWS_NODE
    terms = _node_terms(spec)
    return Reason.WINDOWS_NODE if terms and all(_only_windows(term) for term in terms) else None


def _node_terms(spec: Spec) -> list[NodeTerm]:
    node = spec.affinity.node_affinity if spec.affinity else None
    return (node.required.node_selector_terms or []) if node and node.required else []


def _only_windows(term: NodeTerm) -> bool:
    return any(item.key in SYSTEM_LABELS and item.operator == "In" and item.values == ["windows"] for item in term.match_expressions or ())


def _other_agent(case: Case) -> Reason | None:
    # With our files in place this is a second pass: what came between does not undo the first.
    if case.policy is None or case.policy.joins or case.there:
        return None
    return Reason.OTHER_AGENT if other_agent(case.meta, case.spec, case.namespace.asks) else None


def present(spec: Spec, language: Files) -> bool:
    """Whether the pod has the files of a language already: its init container, or its image as a volume."""
    if spec.init_containers and language.init_container in [container.name for container in spec.init_containers]:
        return True
    return True in [volume.image is not None for volume in spec.volumes or () if volume.name == language.volume]


def _containers(case: Case) -> Reason | None:
    return None if case.targets else Reason.NO_CONTAINER


def _visible(case: Case) -> Reason | None:
    policy = case.policy
    if policy is None:
        return None
    return None if False in [left_out(target.container, policy) for target in case.targets] else Reason.ENVIRONMENT_HIDDEN


def _sidecar(case: Case) -> Reason | None:
    wanted = case.policy.sidecar if case.policy else None
    if wanted is None or sidecar.present(case.spec):
        return None
    if not wanted.among_inits(case.namespace.version):
        # one more app container would keep the pod from ending, and starts too late for init containers
        late = any(target.init for target in case.targets)
        return Reason.SIDECAR_UNAVAILABLE if late or sidecar.must_complete(case.spec) else None
    return None


def _resources(case: Case) -> Reason | None:
    wanted = case.policy.sidecar if case.policy else None
    if wanted is None or sidecar.present(case.spec):
        return None
    spec, version, asked = case.spec, case.namespace.version, wanted.asked(case.namespace.ranges)
    if beside(spec, version, wanted.wishes, asked) is not None:
        return None
    return Reason.LITTLE_MEMORY if beside(spec, version, wanted.wishes, uncounted(asked)) is None else Reason.LITTLE_QUOTA


def _names(case: Case) -> Reason | None:
    if case.policy is None:
        return None
    if case.policy.sidecar and sidecar.taken(case.spec):
        return Reason.NAME_TAKEN
    return Reason.NAME_TAKEN if True in [_taken(case, item) for item in case.policy.deliveries] else None


def _taken(case: Case, delivery: Delivery) -> bool:
    language = delivery.files
    if language.volume in case.volumes and _volume_taken(case, delivery):
        return True
    if language.init_container in [container.name for container in case.spec.containers or ()]:
        return True
    return True in [_path_taken(target.container, language) for target in case.targets]


def _volume_taken(case: Case, delivery: Delivery) -> bool:
    filled = delivery.container is not None or delivery.files in case.there
    own = [volume for volume in case.spec.volumes or () if volume.name == delivery.files.volume and volume.image is None]
    # An emptyDir that no init container of ours fills is somebody else's where we would bring the image.
    return any(volume.empty_dir is None or not filled for volume in own)


def _path_taken(container: Container, language: Files) -> bool:
    ours = language.mount_path
    # Below ours counts too: nothing can be mounted inside a read-only volume.
    mounts = container.volume_mounts or ()
    near = [mount.mount_path for mount in mounts if mount.mount_path.startswith(ours) and mount.name != language.volume]
    if container.volume_devices:
        near += [device.device_path for device in container.volume_devices if device.device_path.startswith(ours)]
    return any(path[len(ours) : len(ours) + 1] in ("", "/") for path in near) if near else False


def _delivered(case: Case) -> Reason | None:
    if case.policy is None or case.namespace.version >= IMAGE_VOLUMES:
        return None
    return Reason.DELIVERY_UNAVAILABLE if len(case.policy.copies) < len(case.policy.deliveries) else None


def _storage(case: Case) -> Reason | None:
    if case.policy is None:
        return None
    needed = sum([item.files.size for item in case.policy.copies if item.files not in case.there])
    limits = [_storage_limit(container) for container in case.spec.containers or ()] if needed else []
    # As the kubelet counts: the sum of those containers that have a limit.
    found = [limit for limit in limits if limit is not None]
    return Reason.LITTLE_STORAGE if found and sum(found) < SHARE * needed * 1000 else None


def _storage_limit(container: Container) -> int | None:
    limits = container.resources.limits if container.resources else None
    found = limits.get("ephemeral-storage") if limits else None
    return None if found is None else thousandths(found)


def _marked(case: Case) -> Reason | None:
    own = case.meta.annotations
    if case.policy is None or not own:
        return None
    if sum([len(key) + len(value) for key, value in own.items()]) < ANNOTATIONS // 8:  # a character takes four bytes at most
        return None
    size = sum(len(key.encode()) + len(value.encode()) for key, value in own.items())
    # On a second pass they are there.
    missing = {} if names.INJECTION in own else case.policy.marks_of
    return Reason.TOO_LARGE if size + sum(len(key) + len(value) for key, value in missing.items()) > ANNOTATIONS else None


def _expressible(case: Case) -> Reason | None:
    policy = case.policy
    if policy is None or not policy.native:
        return None
    beyond = inexpressible(policy) or unusual(case.meta, case.spec, policy, [target.container for target in case.targets])
    return Reason.NOT_EXPRESSIBLE if beyond else None


CHECKS = (
    Check("labels, policy and mode", _asked),
    Check("not a static pod", _mirror),
    Check("not rolled back", _rolled_back),
    Check("a network of its own", _host_network),
    Check("runs on Linux", _windows),
    Check("no other agent", _other_agent),
    Check("a container to instrument", _containers),
    Check("variables that can be seen", _visible),
    Check("a delivery that the API server knows", _delivered),
    Check("room for our files", _storage),
    Check("a collector beside it can run", _sidecar),
    Check("resources for that collector", _resources),
    Check("our names are free", _names),
    Check("room for our annotations", _marked),
    Check("nothing that only the webhook can deal with", _expressible),
)


_FAILS = tuple(item.fails for item in CHECKS)


def failed(found: Case) -> Reason | None:
    """The reason of the first check that fails; none when all pass."""
    for fails in _FAILS:
        reason = fails(found)
        if reason is not None:
            return reason
    return None
