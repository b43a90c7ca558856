"""The variables of an instrumented container: ours beside the pod's own, never in their place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

import msgspec

from llmobs.catalogue.language import Language
from llmobs.inject.compiled import RESOURCE_ATTRIBUTES, CompiledPolicy
from llmobs.inject.patch import Change, Operation, appended
from llmobs.inject.pod import Container, EnvVar


def variables(path: str, container: Container, policy: CompiledPolicy, attributes: str) -> Sequence[Change]:
    """Operations on the container at ``path`` that add what is missing; ``attributes`` is the value of our resource attributes."""
    own = container.env or []
    known = {item.name for item in own}
    if container.env is not None and policy.names.isdisjoint(known):
        middle = Operation("add", path + "/env/-", {"name": RESOURCE_ATTRIBUTES, "value": attributes})
        return (policy.before.at(path), middle, policy.after.at(path))
    new: list[msgspec.Raw | dict[str, str]] = [entry for name, entry in policy.variables.items() if name not in known]
    if RESOURCE_ATTRIBUTES not in known:
        new.append({"name": RESOURCE_ATTRIBUTES, "value": attributes})
    new += [entry for name, entry in policy.extra.items() if name not in known]
    changes: list[_Edit] = []
    for delivery in policy.deliveries:
        language = delivery.language
        if language.variable in known:
            changes += _extended(own, language)
        else:
            new.append({"name": language.variable, "value": policy.lists[language.variable]})
    added = appended(f"{path}/env", new, present=container.env is not None)
    return [*_operations(path, changes), *added] if changes else added


def reads_reference(container: Container, language: Language) -> bool:
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


def _extended(own: list[EnvVar], language: Language) -> Iterator[_Edit]:
    found = _last(own, language.variable)
    if found is None:
        return
    index, item = found
    if item.value_from is not None:
        # Renamed where it stands and referred to right behind, so that later references to either name still resolve.
        name = _free(own, f"ORIGINAL_{language.variable}")
        value = language.joined(f"$({name})")
        yield _Edit(index, name=name, behind={"name": language.variable, "value": value})
    elif language.entry not in (item.value or "").split(language.separator):
        yield _Edit(index, value=language.joined(item.value or ""), had_value=item.value is not None)


def _operations(path: str, changes: list[_Edit]) -> Iterator[Operation]:
    # From the end, so that an insertion moves nothing that is still to be changed.
    for change in sorted(changes, key=lambda item: item.index, reverse=True):
        at = f"{path}/env/{change.index}"
        if change.behind is None:
            yield Operation("replace" if change.had_value else "add", f"{at}/value", change.value)
        else:
            yield Operation("replace", f"{at}/name", change.name)
            yield Operation("add", f"{path}/env/{change.index + 1}", change.behind)


def _last(own: list[EnvVar], name: str) -> tuple[int, EnvVar] | None:
    """Of variables with the same name the last one counts, as for the kubelet."""
    return next(((index, own[index]) for index in range(len(own) - 1, -1, -1) if own[index].name == name), None)


def _free(own: list[EnvVar], name: str) -> str:
    taken = {item.name for item in own}
    return next(found for number in count() if (found := name if number == 0 else f"{name}_{number}") not in taken)
