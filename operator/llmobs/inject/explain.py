"""The decision in words: why the pod, and one sentence for every container."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from llmobs.catalogue.language import Files
from llmobs.catalogue.sidecar import CONTAINER
from llmobs.inject import otel
from llmobs.inject.agents import joined
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.decide import Decision
from llmobs.inject.env import left_out, reads_reference
from llmobs.inject.patch import encoded
from llmobs.inject.pod import Container, Pod
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace
from llmobs.inject.targets import chosen


@dataclass(frozen=True)
class ContainerNote:
    """What happens to one container."""

    name: str
    init: bool
    sentence: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{'init container' if self.init else 'container'} {self.name}: {self.sentence}"


def policy_sentence(decision: Decision) -> str:
    """Which policy applies, and which others select the pod as well."""
    if decision.policy is None:
        return "none"
    said = f"{decision.policy.key} ({decision.policy.revision})"
    if not decision.losers:
        return said
    others = ", ".join(loser.key for loser in decision.losers)
    return f"{said}, before {others}: most selector requirements wins, then the oldest, then the name"


def container_notes(pod: Pod, decision: Decision, namespace: Namespace) -> list[ContainerNote]:
    """One sentence for every container, app containers first, as they stand in ``pod`` before anything is done in ``namespace``."""
    spec = pod.spec
    if spec is None:
        return []
    agent = joined(pod.metadata, spec, namespace.asks, joins=decision.policy.joins) if pod.metadata and decision.policy else None
    return [
        *_notes(spec.containers, "/spec/containers", decision, agent, init=False),
        *_notes(spec.init_containers, "/spec/initContainers", decision, agent, init=True),
        *_added(decision),
    ]


def _added(decision: Decision) -> Iterator[ContainerNote]:
    """The collector that is put into the pod: unlike a copy of files it stays as long as the pod."""
    text = CONTAINER.encode()
    for operation in decision.operations:
        if text in encoded([operation]):
            native = operation.path.startswith("/spec/initContainers")
            yield ContainerNote(CONTAINER, native, f"added{', as a native sidecar' if native else ''}. It is {_ours(CONTAINER)}")


def _notes(containers: list[Container] | None, base: str, decision: Decision, agent: str | None, *, init: bool) -> Iterator[ContainerNote]:
    for index, container in enumerate(containers or ()):
        changed = any(operation.path.startswith(f"{base}/{index}/") for operation in decision.operations)
        yield ContainerNote(container.name, init, _sentence(container, decision, agent, init=init, changed=changed))


def _sentence(container: Container, decision: Decision, agent: str | None, *, init: bool, changed: bool) -> str:
    policy = decision.policy
    if policy is None or decision.reason not in (Reason.INJECTED, Reason.ALREADY_INJECTED, Reason.NO_CONTAINER):
        return "left alone, as the whole pod is."
    if container.name in policy.own:
        return _ours(container.name)
    if not chosen(container.name, policy, init=init):
        return _left_out(container.name, policy)
    if left_out(container, policy):
        return f"left alone: {_HIDDEN}"
    if not changed:
        return "instrumented already; nothing is missing."
    hints = [_beside(item.files, agent) if agent else _hint(container, item.files) for item in policy.deliveries]
    if policy.own_sdk and not agent:
        hints.append(_sdk_hint(container))
    return " ".join(["instrumented.", *filter(None, hints)])


def _ours(name: str) -> str:
    if name == CONTAINER:
        return "ours; what the others send passes through it, without what the policy holds back of prompts and answers."
    return "ours; it copies the files that the others read."


def _left_out(name: str, policy: CompiledPolicy) -> str:
    if name in policy.exclude:
        return "left alone: injection.containers.exclude names it."
    if policy.include:
        return "left alone: injection.containers.include does not name it."
    return "left alone: an init container is instrumented only where injection.containers.include names it."


def _beside(language: Files, agent: str) -> str:
    return f"Our entry stands first in its {language.variable}, so that it is found, and starts what {agent} brings."


def _hint(container: Container, language: Files) -> str:
    variable = language.variable
    if reads_reference(container, language):
        return f"Its {variable} comes from a reference: renamed to ORIGINAL_{variable} and put before our entry."
    if any(item.name == variable for item in container.env or ()):
        return f"Our entry stands last in its {variable}."
    if container.env_from:
        return f"A {variable} from envFrom can't be seen here and would be overridden: repeat its value in injection.env."
    return ""


_HIDDEN = "its envFrom may set OpenTelemetry's variables, which can't be seen here; repeat them in injection.env."


def _sdk_hint(container: Container) -> str:
    if otel.hidden(container):
        return f"OpenTelemetry's variables are left out: {_HIDDEN}"
    if otel.destination_set(item.name for item in container.env or ()):
        return "It says itself where its spans go; that is kept."
    return ""
