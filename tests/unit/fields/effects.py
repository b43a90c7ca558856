"""Everything that follows from a spec, as one text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
from llmobs.api import effective
from llmobs.api.effective import Identity
from llmobs.api.settings import Dedicated, Settings
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.api.workload import Workload
from llmobs.cluster.workloads import Restarts, observed
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import decide
from llmobs.inject.pod import decode as decode_pod
from llmobs.inject.select import namespace
from llmobs.kit.decode import decode
from llmobs.kit.durations import seconds
from llmobs.kit.errors import Invalid
from llmobs.plan.build import check, fleet_parts, policy_parts
from llmobs.plan.inputs import Facts, Inputs
from llmobs.plan.rollback import Observed, blamed
from llmobs.plan.rollout import Standing, due
from llmobs.prices.table import PriceTable, table

BURSTABLE = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "team", "labels": {"app": "a", "tier": "gold"}},
    "spec": {"containers": [{"name": name, "image": "x", "resources": BURSTABLE} for name in ("main", "side")]},
}
AGENT = {"annotations": {"instrumentation.opentelemetry.io/inject-python": "true"}}
LABELS = {"tier": "gold"}
SETTINGS = Settings(dedicated=Dedicated(enabled=True))
_LIST_PRICES = table([]).rows
FEW = PriceTable({name: row for name, row in _LIST_PRICES.items() if name.startswith("gpt-4o")})
"""Enough prices for a policy: a plan with all of them takes half a second."""


def planned(spec: Mapping[str, Any], *fleets: Mapping[str, Any], prices: Mapping[str, Any] | None = None) -> str:
    """Everything that follows from a policy, fleet resources and a price list: manifests and the pod's patch, or the refusal."""
    return _planned(*(json.dumps(item) for item in (prices, spec, *fleets)))


@cache  # most fields are compared with the same spec without them
def _planned(*texts: str) -> str:
    prices, spec, *fleets = (json.loads(text) for text in texts)
    try:
        governing = [effective.fleet({"metadata": {"name": f"f{index}"}, "spec": item}) for index, item in enumerate(fleets)]
        body = {"metadata": {"name": "chat", "namespace": "team", "uid": "u"}, "spec": spec}
        policy = effective.policy(body, governing, LABELS)
        check(policy)
        bare = effective.stand_in("bare", governing, LABELS)
        priced = FEW if prices is None else table([(Identity("l"), decode(LLMPriceListSpec, prices, "spec"))])
        if priced.refused:
            return f"refused: {priced.refused}"
    except Invalid as invalid:
        return f"refused: {invalid}"
    inputs = Inputs(
        settings=SETTINGS,
        facts=Facts(),
        prices=priced,
        policies=(policy,),
        stand_ins=(bare,) if bare else (),
        fleets=tuple(governing),
        namespaces={"team": LABELS},
    )
    parts = [*fleet_parts(inputs), *policy_parts(inputs, policy)]
    pod = decode_pod(msgspec.json.encode(POD))
    found = namespace("team", LABELS, [compiled(policy, Platform(settings=SETTINGS))])
    decision = decide(pod, found)
    beside = decide(decode_pod(msgspec.json.encode(POD | {"metadata": {**POD["metadata"], **AGENT}})), found)
    rolled_back = [str(item) for item in blamed(policy.spec.injection.rollback, looping(policy.spec.injection.rollback.window), ())]
    elsewhere = decide(pod, namespace("bare", LABELS, [compiled(bare, Platform(settings=SETTINGS))] if bare else []))
    ready = {Workload("Deployment", name): Standing(restarted=False, complete=True, held=False) for name in "abc"}
    restarted = [str(item) for item in due(policy.spec.injection.rollout, ready, frozenset(ready))]
    done = [
        decision.reason.value,
        beside.reason.value,
        elsewhere.reason.value,
        decision.operations,
        policy.restrictions,
        rolled_back,
        restarted,
    ]
    return json.dumps([[part.manifests for part in parts], *done], default=str)


def looping(window: str) -> dict[Workload, list[Observed]]:
    """A workload whose one pod, 11 minutes old, restarted three times in its first nine and a half."""
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    meta = {"name": "web-1", "uid": "u", "labels": {"llmobs.dev/injected": "true"}}
    container = {"name": "app", "env": [{"name": "LLMOBS_ENDPOINT"}]}

    def pod(count: int) -> dict[str, Any]:
        status = {"startTime": begun.isoformat(), "containerStatuses": [{"name": "app", "restartCount": count}]}
        return {"metadata": meta, "spec": {"containers": [container]}, "status": status}

    restarts, later = Restarts(), begun + timedelta(minutes=11)
    for minutes, count in ((0.5, 0), (9.5, 3), (11, 3)):
        restarts.note("team", [pod(count)], begun + timedelta(minutes=minutes))
    seen = restarts.within(pod(3), "team", window=seconds(window), now=later)
    return {Workload("Deployment", "web"): [observed(pod(3), restarts=seen, now=later)]}


Case = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The spec without and with the field changed."""
