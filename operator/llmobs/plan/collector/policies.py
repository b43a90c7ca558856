"""What each policy asks of the collector, as a table by namespace and name; and for pods that carry no policy, by namespace."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.collector import CollectorMode
from llmobs.api.v1alpha1.sampling import Sampling
from llmobs.plan.collector import ottl, sampling
from llmobs.plan.collector.rooms import rooms
from llmobs.plan.collector.sinks import Sink, route, sinks_of
from llmobs.plan.collector.treatment import PLAIN, Treatment, classes, treatment

CAPTURE = "llmobs.capture"
"""The resource attribute with the class of its content; absent where nothing is captured."""
ROUTE = "llmobs.route"
POLICY = "llmobs.policy"
SOURCE = "llmobs.source"
"""The resource attribute of pods whose calls are counted from metrics; absent where they are counted from spans."""
REPEATS = "llmobs.repeats"
"""How often in a row a run may execute one tool; absent where no policy says so."""

ROLLED = "llmobs.rolled"
"""There where runs of agents are rolled up from spans."""

RESERVED = r"^(k8s|llm|llmobs)\."
"""Resource attributes that the collector answers for: neither a client nor a policy's attributes set them."""


@dataclass(frozen=True)
class Terms:
    """What applies to the telemetry of a pod."""

    content: Treatment = PLAIN
    sinks: tuple[Sink, ...] = ()
    """The receivers of its traces."""
    attributes: tuple[tuple[str, str], ...] = ()
    sampling: Sampling = Sampling()
    """Which of its traces are sent on."""
    repeats: int | None = None
    """How often in a row a run of an agent may execute one tool."""
    metered: bool = False
    """Whether its calls are counted from metrics, and its spans are not."""
    rolled: bool = False
    """Whether its runs of agents are rolled up from spans."""
    room: str = ""
    """Where its series are added up; a namespace has one."""

    def agreed(self, other: Terms) -> Terms:
        """What both grant."""
        return Terms(
            content=self.content.agreed(other.content),
            sinks=tuple(sink for sink in self.sinks if sink in other.sinks),
            attributes=tuple(item for item in self.attributes if item in other.attributes),
            sampling=self.sampling if self.sampling == other.sampling else Sampling(),
            repeats=min((item for item in (self.repeats, other.repeats) if item is not None), default=None),
            metered=self.metered and other.metered,
            rolled=self.rolled and other.rolled,
            room=self.room or other.room,
        )


def by_policy(policies: Sequence[Policy]) -> dict[str, Terms]:
    """``namespace/name`` -> terms. What stands in for a policy is found by the namespace alone."""
    places = rooms(policies)
    return {policy.key: _terms(policy, policies, places) for policy in policies if not policy.stands_in}


def by_namespace(policies: Sequence[Policy]) -> dict[str, Terms]:
    """Namespace -> what all of its policies agree on: for pods that no policy was written on."""
    found: dict[str, Terms] = {}
    places = rooms(policies)
    for policy in policies:
        terms, namespace = _terms(policy, policies, places), policy.identity.namespace
        found[namespace] = found[namespace].agreed(terms) if namespace in found else terms
    return found


def routes(policies: Sequence[Policy]) -> dict[str, tuple[Sink, ...]]:
    """Every set of receivers in use, by name. Namespaces are folded into these: a thousand of them need few pipelines."""
    every = [*by_policy(policies).values(), *by_namespace(policies).values()]
    return dict(sorted((route(terms.sinks), terms.sinks) for terms in every if terms.sinks))


def written(policies: Sequence[Policy]) -> dict[str, tuple[Sink, tuple[str, ...]]]:
    """Every receiver of series that a policy names, by its handle, with the namespaces whose series it gets.

    Series know no policy: what one policy of a namespace names gets those of its neighbours, too.
    """
    found: dict[str, tuple[Sink, set[str]]] = {}
    for policy in policies:
        for sink in sinks_of(policy, policies) if _expects(policy) else ():
            if sink.series:
                found.setdefault(sink.handle, (sink, set()))[1].add(policy.identity.namespace)
    return {handle: (sink, tuple(sorted(spaces))) for handle, (sink, spaces) in sorted(found.items())}


def contents(policies: Sequence[Policy]) -> tuple[Treatment, ...]:
    """Every treatment of content in use beside the plain one."""
    return classes(item.content for item in [*by_policy(policies).values(), *by_namespace(policies).values()])


def hashing(policies: Sequence[Policy]) -> bool:
    """Whether a gateway for these policies needs the installation's key."""
    return any(item.hashes for item in contents(policies))


def metered(terms: Mapping[str, Terms]) -> dict[str, Terms]:
    """Those whose calls are counted from metrics."""
    return {key: item for key, item in terms.items() if item.metered}


def metering(policies: Sequence[Policy]) -> bool:
    """Whether a gateway for these policies takes metrics."""
    return any(_expects(item) and item.spec.collector.metered for item in policies)


def rolling(policies: Sequence[Policy]) -> bool:
    """Whether a gateway for these policies rolls up runs of agents."""
    return any(_expects(item) and item.spec.agents.roll_up for item in policies)


def table(terms: Mapping[str, Terms]) -> dict[str, ottl.Value]:
    """The terms as the collector looks them up, without rows that grant nothing.

    ``c`` content, ``r`` route, ``s`` sampling, ``l`` tools in a row, ``m`` counted from metrics, ``u`` runs rolled up, ``n`` room,
    ``a`` attributes.
    """
    return {key: row for key, item in sorted(terms.items()) if (row := _row(item))}


def _row(terms: Terms) -> dict[str, ottl.Value]:
    row: dict[str, ottl.Value] = {}
    if terms.content != PLAIN:
        row["c"] = terms.content.name
    if terms.sinks:
        row["r"] = route(terms.sinks)
        if asked := sampling.row(terms.sampling):
            row["s"] = asked
    if terms.repeats is not None:
        row["l"] = float(terms.repeats)
    if terms.metered:
        row["m"] = 1.0
    if terms.rolled:
        row["u"] = 1.0
    if terms.room:
        row["n"] = terms.room
    if terms.attributes:
        row["a"] = dict(terms.attributes)
    return row


def _expects(policy: Policy) -> bool:
    """Whether a policy expects anything of this gateway."""
    return policy.spec.collector.mode in (CollectorMode.SHARED, CollectorMode.SIDECAR)


def _terms(policy: Policy, policies: Sequence[Policy], places: Mapping[str, str]) -> Terms:
    own = sorted((key, value) for key, value in policy.spec.attributes.items() if not re.match(RESERVED, key))
    if not _expects(policy):
        return Terms()  # it expects nothing of this gateway, so what gets there all the same is granted nothing
    return Terms(
        content=treatment(policy.spec.content),
        sinks=tuple(sink for sink in sinks_of(policy, policies) if not sink.series),
        attributes=tuple(own),
        sampling=policy.spec.sampling,
        repeats=policy.spec.agents.max_tool_repeats,
        metered=policy.spec.collector.metered,
        rolled=policy.spec.agents.roll_up,
        room=places[policy.identity.namespace],
    )
