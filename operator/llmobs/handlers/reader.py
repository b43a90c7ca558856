"""From the world to what plans are made from: everything parsed, and the last good state of what is refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from llmobs.api import effective, memory
from llmobs.api.effective import Fleet, Identity, Policy
from llmobs.api.settings import Settings
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.cluster.kinds import FLEET, POLICY, PRICES
from llmobs.handlers.world import Body, Key, World, essence, key
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid
from llmobs.plan.build import check
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable

Lists = Sequence[tuple[Identity, LLMPriceListSpec]]
Priced = Callable[[Lists, datetime], tuple[PriceTable, Mapping[str, Invalid]]]
"""Price lists to one table, and why a list (by name) could not be taken."""
Refusals = dict[tuple[str, Key], Invalid]


@dataclass(frozen=True)
class View:
    """Everything parsed: what plans are made from, and what was refused."""

    inputs: Inputs
    policies: Mapping[Key, Policy]
    """The policy that serves at each place: the accepted one, or of a refused one the last good."""
    refused: Mapping[tuple[str, Key], Invalid]
    """By kind and place, why a resource is not accepted."""
    served: Mapping[tuple[str, Key], Body]
    """By kind and place, the policies and fleet resources that serve, each as it was accepted last."""
    left: Mapping[str, str]
    """By fleet resource, a namespace in which its defaults can't apply without a policy, and why."""

    @cached_property
    def within(self) -> Mapping[str, tuple[Policy, ...]]:
        """What applies in each namespace: its own policies, or a fleet's defaults where there is none."""
        found: dict[str, list[Policy]] = {}
        for item in (*self.policies.values(), *self.inputs.stand_ins):
            found.setdefault(item.identity.namespace, []).append(item)
        return {name: tuple(policies) for name, policies in found.items()}

    def stand_in(self, namespace: str) -> Policy | None:
        """The fleet's defaults that apply in a namespace."""
        return next((item for item in self.within.get(namespace, ()) if item.stands_in), None)


class Reader:
    """Parses the world, and remembers the last good state of what turns bad."""

    def __init__(self, settings: Settings, priced: Priced, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings = settings
        self._priced = priced
        self._now = now
        self._moment = datetime.min.replace(tzinfo=UTC)
        self._good: dict[str, tuple[Body, Policy]] = {}
        self._fleets: dict[str, tuple[Body, Fleet]] = {}
        self._parsed: dict[str, tuple[Any, Policy | Invalid]] = {}
        self._table: tuple[Any, tuple[PriceTable, Mapping[str, Invalid]]] | None = None
        self._view: tuple[int, Facts, datetime, View] | None = None

    def view(self, world: World, facts: Facts) -> View:
        """The world, parsed; the same object as long as nothing changed."""
        mark = (world.version, facts, self._priced_at())
        if self._view is None or self._view[:3] != mark:
            self._view = (*mark, self._made(world, facts))
        return self._view[3]

    def _made(self, world: World, facts: Facts) -> View:
        refused: Refusals = {}
        fleets = self._accepted_fleets(world, refused)
        policies = self._accepted_policies(world, fleets, refused)
        stand_ins, left = _stand_ins(world, fleets)
        inputs = Inputs(
            settings=self._settings,
            facts=facts,
            prices=self._prices(world, refused),
            policies=tuple(policies.values()),
            stand_ins=tuple(stand_ins),
            fleets=fleets,
            namespaces={where.namespace: world.labels.get(where.namespace, {}) for where in policies},
        )
        served = {(FLEET.kind, Key("", name)): body for name, (body, _) in self._fleets.items()}
        served |= {(POLICY.kind, key(body)): body for body, _ in self._good.values()}
        return View(inputs=inputs, policies=policies, refused=refused, served=served, left=left)

    def _accepted_fleets(self, world: World, refused: Refusals) -> tuple[Fleet, ...]:
        found: dict[str, tuple[Body, Fleet]] = {}
        for where, body in _living(world, FLEET.kind):
            try:
                found[where.name] = body, effective.fleet(body)
            except Invalid as invalid:
                refused[FLEET.kind, where] = invalid
                good = self._fleets.get(where.name) or _recalled_fleet(body)
                if good is not None:
                    found[where.name] = good
        self._fleets = found
        return tuple(fleet for _, fleet in found.values())

    def _accepted_policies(self, world: World, fleets: tuple[Fleet, ...], refused: Refusals) -> dict[Key, Policy]:
        policies: dict[Key, Policy] = {}
        alive: set[str] = set()
        for where, body in _living(world, POLICY.kind):
            labels, uid = world.labels.get(where.namespace, {}), str(body["metadata"].get("uid"))
            alive.add(uid)
            found = self._policy(uid, body, fleets, labels)
            if isinstance(found, Policy):
                policies[where], self._good[uid] = found, (body, found)
                continue
            refused[POLICY.kind, where] = found
            good = self._good.get(uid) or _recalled(body, fleets, labels)
            if good is not None:
                self._good[uid] = good
                policies[where] = _last(*good, fleets, labels)
        self._good = {uid: kept for uid, kept in self._good.items() if uid in alive}
        self._parsed = {uid: kept for uid, kept in self._parsed.items() if uid in alive}
        return policies

    def _policy(self, uid: str, body: Body, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> Policy | Invalid:
        mark = (essence(body), tuple(item.identity for item in fleets), tuple(sorted(labels.items())))
        known = self._parsed.get(uid)
        if known is None or known[0] != mark:
            known = self._parsed[uid] = (mark, _parse(body, fleets, labels))
        return known[1]

    def _prices(self, world: World, refused: Refusals) -> PriceTable:
        mark = (self._priced_at(), *(essence(body) for _, body in _living(world, PRICES.kind)))
        if self._table is None or self._table[0] != mark:
            self._table = (mark, self._tabled(world))
        table, wrong = self._table[1]
        refused.update({(PRICES.kind, Key("", name)): invalid for name, invalid in wrong.items()})
        return table

    def _priced_at(self) -> datetime:
        """The moment of the price table: moves on when a price that was announced has begun."""
        now = self._now()
        until = self._table[1][0].until if self._table else self._moment
        if not self._moment <= now < until:
            self._moment = now
        return self._moment

    def due(self) -> float:
        """Seconds until an announced price begins; infinite before the first table."""
        return (self._table[1][0].until - self._now()).total_seconds() if self._table else math.inf

    def _tabled(self, world: World) -> tuple[PriceTable, Mapping[str, Invalid]]:
        lists: list[tuple[Identity, LLMPriceListSpec]] = []
        unreadable: dict[str, Invalid] = {}
        for where, body in _living(world, PRICES.kind):
            try:
                lists.append((effective.identity(body), decode(LLMPriceListSpec, body.get("spec") or {}, "spec")))
            except Invalid as invalid:
                unreadable[where.name] = invalid
        table, wrong = self._priced(lists, self._priced_at())
        return table, {**wrong, **unreadable}


def _living(world: World, kind: str) -> Iterator[tuple[Key, Body]]:
    """Resources that are not being deleted, in order."""
    return ((where, body) for where, body in sorted(world.of(kind).items()) if not body["metadata"].get("deletionTimestamp"))


def _stand_ins(world: World, fleets: tuple[Fleet, ...]) -> tuple[list[Policy], dict[str, str]]:
    """What applies in namespaces without a resource of their own, be it a refused one; and by fleet where its defaults can't."""
    taken = {where.namespace for where, _ in _living(world, POLICY.kind)}
    found: list[Policy] = []
    left: dict[str, str] = {}
    for name, labels in sorted(world.labels.items()):
        try:
            made = None if name in taken else effective.stand_in(name, fleets, labels)
            if made is not None:
                check(made)
                found.append(made)
        except Invalid as invalid:
            fleet = effective.fleet_for(fleets, labels)
            if fleet is not None:
                left.setdefault(fleet.identity.name, f"not in {name}: {invalid}")
    return found, left


def _parse(body: Body, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> Policy | Invalid:
    try:
        made = effective.policy(body, fleets, labels)
        check(made)
    except Invalid as invalid:
        return invalid
    return made


def _recalled(body: Body, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> tuple[Body, Policy] | None:
    """What an earlier process accepted, from the status it wrote."""
    kept = memory.remembered(body)
    made = None if kept is None else effective.recalled(kept, fleets, labels)
    if kept is None or made is None:
        return None
    try:
        check(made)
    except Invalid:
        return None
    return kept, made


def _recalled_fleet(body: Body) -> tuple[Body, Fleet] | None:
    kept = memory.remembered(body)
    try:
        return None if kept is None else (kept, effective.fleet(kept))
    except Invalid:
        return None


def _last(body: Body, good: Policy, fleets: tuple[Fleet, ...], labels: Mapping[str, str]) -> Policy:
    """What serves in place of a refused spec."""
    found = _parse(body, fleets, labels)
    return found if isinstance(found, Policy) else effective.standing(good, fleets, labels)
