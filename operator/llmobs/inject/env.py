"""The variables of an instrumented container: ours beside the pod's own, never in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import msgspec

from llmobs.catalogue.language import Files
from llmobs.inject import otel
from llmobs.inject.compiled import RESOURCE_ATTRIBUTES, CompiledPolicy
from llmobs.inject.patch import Change, Operation, appended
from llmobs.inject.pod import Container, EnvVar

_Entry = msgspec.Raw | dict[str, str]


def variables(path: str, container: Container, policy: CompiledPolicy, attributes: str, *, beside: bool = False) -> Sequence[Change]:
    """Operations on the container at ``path`` that add what is missing; ``attributes`` is the value of our resource attributes.

    ``beside`` another agent our files are found first, and OpenTelemetry's variables are its own business.
    """
    if left_out(container, policy):
        return []
    own = container.env or []
    named = [item.name for item in own]
    if container.env is not None and not policy.own_sdk and not beside and policy.names.isdisjoint(named):
        return (policy.ours.at(path, attributes),)
    known = set(named)
    sdk = policy.own_sdk and not beside and not otel.hidden(container)
    new: list[_Entry] = [entry for name, entry in policy.variables.items() if name not in known]
    front: list[_Entry] = []
    if sdk and otel.ATTRIBUTES in known:
        # Before the user's variable, because a reference only resolves to what stands before it.
        front, new = new, []
    if policy.deliveries and RESOURCE_ATTRIBUTES not in known:
        new.append({"name": RESOURCE_ATTRIBUTES, "value": attributes})
    new += [entry for name, entry in policy.extra.items() if name not in known]
    changes: list[_Edit] = []
    for delivery in policy.deliveries:
        files = delivery.files
        if files.variable in known:
            changes += _extended(own, files, beside=beside)
        else:
            listed = policy.lists[files.variable]
            new.append({"name": files.variable, "value": files.leading(listed) if beside else listed})
    if sdk:
        changes += _described(own, attributes)
        new += _for_sdk(known, policy, attributes)
    added = appended(f"{path}/env", new, present=container.env is not None)
    return [*_operations(path, changes, front), *added] if changes or front else added


def left_out(container: Container, policy: CompiledPolicy) -> bool:
    """Whether nothing can be done for this container without overriding what ``envFrom`` may set."""
    return otel.hidden(container) and not policy.deliveries and not policy.extra


def _for_sdk(known: set[str], policy: CompiledPolicy, attributes: str) -> Iterator[_Entry]:
    if not otel.destination_set(known | policy.extra.keys()):
        yield from policy.exporter.values()
    if not otel.metrics_set(known | policy.extra.keys()):
        yield from (entry for name, entry in policy.metrics.items() if name not in known | policy.extra.keys())
    if otel.ATTRIBUTES not in known:
        yield {"name": otel.ATTRIBUTES, "value": otel.merged(policy.stated, attributes)}


def _described(own: list[EnvVar], attributes: str) -> Iterator[_Edit]:
    found = _last(own, otel.ATTRIBUTES)
    if found is None:
        return
    index, item = found
    attributes = otel.resolvable(attributes, later={other.name for other in own[index:]})
    if item.value_from is not None:
        name = _free(own, f"ORIGINAL_{otel.ATTRIBUTES}")
        yield _Edit(index, name=name, behind={"name": otel.ATTRIBUTES, "value": otel.merged(f"$({name})", attributes)})
    elif (value := otel.merged(item.value or "", attributes)) != (item.value or ""):
        yield _Edit(index, value=value, had_value=item.value is not None)


def reads_reference(container: Container, language: Files) -> bool:
    """Whether the pod takes the language's variable from a reference, whose value nobody can see here."""
    found = _last(container.env or [], language.variable)
    return found is not None and found[1].value_from is not None


@dataclass(frozen=True)
class _Edit:
    """An edit of the variable at ``index``: its new value, or a new name and the variable to put behind it."""

    index: int
    value: str = ""
    had_value: bool = False
    name: str = ""
    behind: Mapping[str, str] | None = None


def _extended(own: list[EnvVar], language: Files, *, beside: bool) -> Iterator[_Edit]:
    found = _last(own, language.variable)
    if found is None:
        return
    index, item = found
    placed = language.leading if beside else language.joined
    if item.value_from is not None:
        # Renamed where it stands and referred to right behind, so that later references to either name still resolve.
        name = _free(own, f"ORIGINAL_{language.variable}")
        value = placed(f"$({name})")
        yield _Edit(index, name=name, behind={"name": language.variable, "value": value})
        return
    entries = (item.value or "").split(language.separator)
    if entries[0] != language.entry if beside else language.entry not in entries:
        yield _Edit(index, value=placed(item.value or ""), had_value=item.value is not None)


def _operations(path: str, changes: list[_Edit], front: list[_Entry]) -> Iterator[Operation]:
    for change in changes:
        at = f"{path}/env/{change.index}"
        if change.behind is None:
            yield Operation("replace" if change.had_value else "add", f"{at}/value", change.value)
        else:
            yield Operation("replace", f"{at}/name", change.name)
    # Insertions afterwards and from the end, so that none moves what is still to be changed.
    for change in sorted(changes, key=lambda item: item.index, reverse=True):
        if change.behind is not None:
            yield Operation("add", f"{path}/env/{change.index + 1}", change.behind)
    for entry in reversed(front):
        yield Operation("add", f"{path}/env/0", entry)


def _last(own: list[EnvVar], name: str) -> tuple[int, EnvVar] | None:
    """Of variables with the same name the last one counts, as for the kubelet."""
    return next(((index, own[index]) for index in range(len(own) - 1, -1, -1) if own[index].name == name), None)


def _free(own: list[EnvVar], name: str) -> str:
    taken = {item.name for item in own}
    return next(found for number in count() if (found := name if number == 0 else f"{name}_{number}") not in taken)
