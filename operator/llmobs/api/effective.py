"""What applies in a namespace: its own resource over the fleet's defaults, under the fleet's ceilings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llmobs.api.v1alpha1.collector import Collector, CollectorMode
from llmobs.api.v1alpha1.content import Capture
from llmobs.api.v1alpha1.fleet import ClusterLLMObservabilitySpec, Destination, WithoutPolicy
from llmobs.api.v1alpha1.observability import LLMObservabilitySpec
from llmobs.catalogue.backends import secret_of
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid


@dataclass(frozen=True)
class Identity:
    """Which object in the cluster, and which version of it. Objects read from files have uid ``file``, generation 0."""

    name: str
    namespace: str = ""
    uid: str = "file"
    generation: int = 0
    created: str = ""
    """RFC 3339; compares as text."""

    @property
    def revision(self) -> str:
        """Value of the policy-revision annotation."""
        return f"{self.uid}.{self.generation}"


@dataclass(frozen=True)
class Fleet:
    """One ClusterLLMObservability, parsed; ``raw`` is its spec as given, because defaults are merged as plain data."""

    identity: Identity
    spec: ClusterLLMObservabilitySpec
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """One LLMObservability as it applies: merged with the fleet's defaults and lowered to its ceilings."""

    identity: Identity
    spec: LLMObservabilitySpec
    fleet: str | None = None
    restrictions: tuple[str, ...] = ()
    """What was lowered, in sentences for the condition ``Accepted``."""
    destinations: tuple[Destination, ...] = ()
    """The platform's destinations that its backends name, resolved."""
    stands_in: bool = False
    """Whether these are a fleet's defaults in a namespace without a resource of its own: name and version are the fleet's."""

    @property
    def key(self) -> str:
        """Value of the policy annotation."""
        return self.identity.name if self.stands_in else f"{self.identity.namespace}/{self.identity.name}"


def identity(body: Mapping[str, Any], *, namespace: str = "") -> Identity:
    """The identity of a custom resource; a missing ``metadata.name`` is an error."""
    meta = body.get("metadata") or {}
    if not meta.get("name"):
        raise Invalid("metadata.name", "is required")
    return Identity(
        name=str(meta["name"]),
        namespace=str(meta.get("namespace") or namespace),
        uid=str(meta.get("uid") or "file"),
        generation=int(meta.get("generation") or 0),
        created=str(meta.get("creationTimestamp") or ""),
    )


def fleet(body: Mapping[str, Any]) -> Fleet:
    """A ClusterLLMObservability, parsed. Raises :class:`Invalid`."""
    raw = body.get("spec") or {}
    return Fleet(identity=identity(body), spec=decode(ClusterLLMObservabilitySpec, raw, "spec"), raw=raw)


def fleet_for(fleets: Iterable[Fleet], namespace_labels: Mapping[str, str]) -> Fleet | None:
    """The resource that governs a namespace: highest priority, then first name; none when none selects it."""
    matching = [item for item in fleets if item.spec.namespace_selector.matches(namespace_labels)]
    return min(matching, key=lambda item: (-item.spec.priority, item.identity.name), default=None)


def policy(body: Mapping[str, Any], fleets: Iterable[Fleet], namespace_labels: Mapping[str, str]) -> Policy:
    """An LLMObservability as it applies in its namespace.

    ``namespace_labels`` decide which fleet resource governs it and which destinations it may name. Raises :class:`Invalid`.
    """
    every = tuple(fleets)
    own = body.get("spec") or {}
    decode(LLMObservabilitySpec, own, "spec")
    governing = fleet_for(every, namespace_labels)
    merged = _merged((governing.raw.get("defaults") or {}) if governing else {}, own)
    spec, restrictions = lowered(decode(LLMObservabilitySpec, merged, "spec"), governing)
    return Policy(
        identity=identity(body, namespace="default"),
        spec=spec,
        fleet=governing.identity.name if governing else None,
        restrictions=restrictions,
        destinations=_destinations(spec, every, governing, namespace_labels),
    )


def stand_in(namespace: str, fleets: Iterable[Fleet], namespace_labels: Mapping[str, str]) -> Policy | None:
    """What applies in a namespace without a resource of its own; None where nothing does. Raises :class:`Invalid`."""
    every = tuple(fleets)
    governing = fleet_for(every, namespace_labels)
    if governing is None or governing.spec.without_policy is not WithoutPolicy.APPLY:
        return None
    who = governing.identity
    meta = {"name": who.name, "namespace": namespace, "uid": who.uid, "generation": who.generation, "creationTimestamp": who.created}
    made = policy({"metadata": meta}, every, namespace_labels)
    # no resource of the namespace could own a gateway, or the configuration of collectors in pods
    owned = (CollectorMode.DEDICATED, CollectorMode.SIDECAR)
    spec = _shared(made.spec) if made.spec.collector.mode in owned else made.spec
    return replace(made, spec=spec, stands_in=True)


def standing(good: Policy, fleets: Iterable[Fleet], namespace_labels: Mapping[str, str]) -> Policy:
    """What serves while a newer spec is refused: the last good one, but under today's ceilings and destinations."""
    every = tuple(fleets)
    governing = fleet_for(every, namespace_labels)
    offered = allowed_destinations(every, governing, namespace_labels)
    spec, restrictions = lowered(good.spec, governing)
    kept = tuple(item for item in spec.backends if item.destination is None or item.destination in offered)
    named = tuple(offered[item.destination] for item in kept if item.destination is not None)
    return replace(good, spec=replace(spec, backends=kept), restrictions=restrictions, destinations=named)


def recalled(body: Mapping[str, Any], fleets: Iterable[Fleet], namespace_labels: Mapping[str, str]) -> Policy | None:
    """What serves for an LLMObservability that was accepted once; None when today's operator can't read it any more."""
    every = tuple(fleets)
    governing = fleet_for(every, namespace_labels)
    merged = overlay((governing.raw.get("defaults") or {}) if governing else {}, body.get("spec") or {})
    try:
        spec = decode(LLMObservabilitySpec, merged, "spec")
    except Invalid:
        return None
    made = Policy(identity=identity(body, namespace="default"), spec=spec, fleet=governing.identity.name if governing else None)
    return standing(made, every, namespace_labels)


def overlay(defaults: Any, own: Any) -> Any:
    """``own`` over ``defaults``: objects are merged by key, anything else (lists too) is replaced as a whole."""
    if not isinstance(defaults, Mapping) or not isinstance(own, Mapping):
        return defaults if own is None else own
    return {key: overlay(defaults.get(key), own.get(key)) for key in [*defaults, *(k for k in own if k not in defaults)]}


def _merged(defaults: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``own`` over the fleet's defaults.

    Half of one's collector and half of the other's would be nobody's choice; nor are default backends for what goes elsewhere.
    """
    found = dict(overlay(defaults, own))
    if own.get("collector"):
        found["collector"] = own["collector"]
    if (found.get("collector") or {}).get("mode") == CollectorMode.EXTERNAL.value and not own.get("backends"):
        found.pop("backends", None)
    return found


def lowered(spec: LLMObservabilitySpec, governing: Fleet | None) -> tuple[LLMObservabilitySpec, tuple[str, ...]]:
    """The spec under the ceilings, and what was lowered. Without a fleet resource nothing may be captured."""
    limits = (governing.spec if governing else ClusterLLMObservabilitySpec()).limits
    by = f"ClusterLLMObservability {governing.identity.name}" if governing else "no ClusterLLMObservability selects this namespace"
    said: list[str] = []
    ceiling, asked = limits.content.max_capture, spec.content.capture
    if asked.rank > ceiling.rank:
        spec = replace(spec, content=replace(spec.content, capture=ceiling))
        said.append(f"content.capture {asked.value} is lowered to {ceiling.value} ({by})")
    most, share = limits.content.max_sample_ratio, spec.content.sample_ratio
    if share > most and spec.content.capture is not Capture.NONE:
        spec = replace(spec, content=replace(spec.content, sample_ratio=most))
        said.append(f"content.sampleRatio {share:g} is lowered to {most:g} ({by})")
    modes, mode = limits.collector_modes, spec.collector.mode
    if modes is not None and mode not in modes:
        said.append(f"collector.mode {mode.value} is not offered and becomes {modes[0].value} ({by})")
        if modes[0] is CollectorMode.SHARED and any(item.apart for item in spec.backends):
            said.append("backends of its own with a Secret or for series are left out, because they need mode Dedicated")
        source = spec.collector.source
        spec = _shared(spec) if modes[0] is CollectorMode.SHARED else replace(spec, collector=_collector(modes[0], spec))
        if spec.collector.source is not source:
            said.append(f"collector.source {source.value} becomes {spec.collector.source.value}, because that mode takes no metrics")
    if spec.collector.mode is CollectorMode.SIDECAR and spec.content.capture is Capture.HASH:
        spec = replace(spec, content=replace(spec.content, capture=Capture.NONE))
        said.append("content.capture Hash counts as None with collector.mode Sidecar, because pods do not get the key of hashes")
    return spec, tuple(said)


def _shared(spec: LLMObservabilitySpec) -> LLMObservabilitySpec:
    """The spec with the platform's gateway, which reads no Secret of a namespace."""
    kept = tuple(item for item in spec.backends if not item.apart)
    return replace(spec, collector=_collector(CollectorMode.SHARED, spec), backends=kept)


def _collector(mode: CollectorMode, spec: LLMObservabilitySpec) -> Collector:
    """Another mode with what calls are counted from, where that mode can."""
    can = mode in (CollectorMode.SHARED, CollectorMode.DEDICATED)
    return Collector(mode=mode, source=spec.collector.source) if can else Collector(mode=mode)


def _destinations(
    spec: LLMObservabilitySpec, every: tuple[Fleet, ...], governing: Fleet | None, namespace_labels: Mapping[str, str]
) -> tuple[Destination, ...]:
    offered = allowed_destinations(every, governing, namespace_labels)
    found: list[Destination] = []
    for index, backend in enumerate(spec.backends):
        if backend.destination is None:
            continue
        if backend.destination not in offered:
            known = ", ".join(sorted(offered)) or "none"
            raise Invalid(
                f"spec.backends[{index}].destination",
                f"{backend.destination!r} is not a destination this namespace may use; it may use: {known}",
            )
        if spec.collector.mode is CollectorMode.DEDICATED and secret_of(offered[backend.destination].config):
            raise Invalid(
                f"spec.backends[{index}].destination",
                f"{backend.destination!r} has a credential of the platform, which a Dedicated gateway does not get; "
                "give the receiver with a Secret of this namespace instead",
            )
        found.append(offered[backend.destination])
    return tuple(found)


def allowed_destinations(every: Iterable[Fleet], governing: Fleet | None, namespace_labels: Mapping[str, str]) -> dict[str, Destination]:
    """The destinations a namespace may name: they allow it, and the governing resource does not leave them out."""
    limit = governing.spec.limits.destinations if governing else None
    return {
        item.name: item
        for source in sorted(every, key=lambda f: f.identity.name, reverse=True)
        for item in source.spec.destinations
        if item.allowed_namespaces.matches(namespace_labels) and (limit is None or item.name in limit)
    }
