"""The operations that instrument a pod; none when nothing is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

from msgspec import Raw

from llmobs.api import names
from llmobs.inject import sidecar
from llmobs.inject.agents import joined
from llmobs.inject.checks import Case
from llmobs.inject.compiled import SAFE_TO_EVICT, CompiledPolicy, Delivery
from llmobs.inject.env import variables
from llmobs.inject.identity import ResourceAttributes
from llmobs.inject.patch import Change, Operation, appended, entries, pointer
from llmobs.inject.pod import Spec
from llmobs.inject.qos import beside, init_resources
from llmobs.inject.targets import Target

_LABEL = entries("/metadata/labels", {names.INJECTED: "true"})


def operations(case: Case, policy: CompiledPolicy) -> list[Change]:
    """What is missing in a pod that ``policy`` is for. Raises ``ValueError`` for a malformed resource quantity.

    Containers first: the init container that is put in later may move the init containers among them.
    """
    odd = _other_kind(case, policy)
    attributes = ResourceAttributes(meta=case.meta, namespace=case.namespace.name, given=policy.attributes)
    beside = joined(case.meta, case.spec, case.namespace.asks, joins=policy.joins) is not None
    made: list[Change] = []
    for target in case.targets:
        made += variables(target.path, target.container, policy, attributes.of(target.container), beside=beside)
        made += _mounts(target, policy, odd)
    made += _init_containers(case, policy)
    if policy.sidecar:
        made += _beside(case, policy)
    made += _volumes(case, policy)
    made += _pull_secrets(case.spec, policy)
    made += _marks(case, policy)
    return made


def _other_kind(case: Case, policy: CompiledPolicy) -> Collection[str]:
    """Our volumes that the pod has of the other kind: the policy's delivery changed between two passes over this pod."""
    if policy.volumes.isdisjoint(case.volumes):
        return ()
    found = {volume.name: volume.image is not None for volume in case.spec.volumes or () if volume.name in policy.volumes}
    return {item.files.volume for item in policy.deliveries if found.get(item.files.volume) is bool(item.container)}


def _mounts(target: Target, policy: CompiledPolicy, odd: Collection[str]) -> Sequence[Change]:
    own = target.container.volume_mounts
    if own and not odd and policy.volumes.isdisjoint([mount.name for mount in own]):
        return (policy.mounts.at(target.path),) if policy.deliveries else ()
    known = {(mount.name, mount.mount_path) for mount in own or ()}
    missing = [item for item in policy.deliveries if (item.files.volume, item.files.mount_path) not in known]
    new = [_turned(item) if item.files.volume in odd else item.mount for item in missing]
    return appended(f"{target.path}/volumeMounts", new, present=own is not None)


def _turned(item: Delivery) -> Raw:
    return item.from_image if item.container else item.from_copy


def _init_containers(case: Case, policy: CompiledPolicy) -> list[Operation]:
    spec, collector = case.spec, _collector(case, policy, native=True) if policy.sidecar else []
    missing = [item for item in policy.copies if item.files not in case.there]
    if not missing and not collector:
        return []
    resources = init_resources(spec, case.namespace.version, policy.wishes, case.namespace.ranges) if missing else {}
    new = [*(item.init_container(resources) for item in missing), *collector]
    first = next((target.position for target in case.targets if target.init), None)
    if first is None:
        return appended("/spec/initContainers", new, present=spec.init_containers is not None)
    return [Operation("add", f"/spec/initContainers/{first + offset}", item) for offset, item in enumerate(new)]


def _beside(case: Case, policy: CompiledPolicy) -> list[Operation]:
    return appended("/spec/containers", _collector(case, policy, native=False), present=True)


def _collector(case: Case, policy: CompiledPolicy, *, native: bool) -> list[Raw]:
    """The collector in the pod, if this is the place for it and it is missing."""
    wanted, version = policy.sidecar, case.namespace.version
    if wanted is None or wanted.among_inits(version) is not native or sidecar.present(case.spec):
        return []
    resources = beside(case.spec, version, wanted.wishes, wanted.asked(case.namespace.ranges))
    return [wanted.manifest(resources or {}, native=native)]


def _volumes(case: Case, policy: CompiledPolicy) -> Sequence[Change]:
    if case.volumes and policy.volumes.isdisjoint(case.volumes):
        return (policy.volumes_of,) if policy.deliveries else ()
    new = [item.volume for item in policy.deliveries if item.files.volume not in case.volumes]
    return appended("/spec/volumes", new, present=case.spec.volumes is not None)


def _pull_secrets(spec: Spec, policy: CompiledPolicy) -> Sequence[Change]:
    if not policy.pull_secrets:
        return ()
    known = {secret.name for secret in spec.image_pull_secrets or ()}
    new = [{"name": name} for name in policy.pull_secrets if name not in known]
    return appended("/spec/imagePullSecrets", new, present=spec.image_pull_secrets is not None)


def _marks(case: Case, policy: CompiledPolicy) -> list[Change]:
    meta = case.meta
    if meta.labels and meta.annotations and names.INJECTED not in meta.labels and policy.annotated.isdisjoint(meta.annotations):
        return [_LABEL, policy.marks]
    labels, own = meta.labels or {}, meta.annotations or {}
    # A pod that was instrumented before: what it says of that stays true.
    kept = own if policy.deliveries and len(case.there) == len(policy.deliveries) else {}
    wanted = {key: value for key, value in policy.annotations.items() if own.get(key) != value and key not in kept}
    listed = own.get(SAFE_TO_EVICT, "")
    safe = _safe_to_evict(listed, policy.copies)
    if safe != listed:
        wanted[SAFE_TO_EVICT] = safe
    return [
        *_entries("labels", meta.labels, {names.INJECTED: "true"} if labels.get(names.INJECTED) != "true" else {}),
        *_entries("annotations", meta.annotations, wanted),
    ]


def _safe_to_evict(listed: str, deliveries: tuple[Delivery, ...]) -> str:
    known = {name.strip() for name in listed.split(",")}
    missing = [item.files.volume for item in deliveries if item.files.volume not in known]
    return ",".join([listed, *missing] if listed else missing)


def _entries(field: str, own: Mapping[str, str] | None, new: dict[str, str]) -> list[Operation]:
    if not new:
        return []
    if own is None:
        return [Operation("add", pointer("metadata", field), new)]
    return [Operation("replace" if key in own else "add", _place(field, key), value) for key, value in new.items()]


@lru_cache(maxsize=64)
def _place(field: str, key: str) -> str:
    return pointer("metadata", field, key)
