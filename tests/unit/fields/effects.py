"""Everything that follows from a spec, as one text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec
from llmobs.api import effective
from llmobs.api.effective import Identity
from llmobs.api.settings import Settings
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import decide
from llmobs.inject.pod import decode as decode_pod
from llmobs.inject.select import namespace
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid
from llmobs.plan.build import check, fleet_parts, policy_parts
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import table

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "team", "labels": {"app": "a", "tier": "gold"}},
    "spec": {"containers": [{"name": "main", "image": "x"}, {"name": "side", "image": "y"}]},
}
LABELS = {"tier": "gold"}


def planned(spec: Mapping[str, Any], *fleets: Mapping[str, Any], prices: Mapping[str, Any] | None = None) -> str:
    """Everything that follows from a policy, fleet resources and a price list: manifests and the pod's patch, or the refusal."""
    try:
        governing = [effective.fleet({"metadata": {"name": f"f{index}"}, "spec": item}) for index, item in enumerate(fleets)]
        body = {"metadata": {"name": "chat", "namespace": "team", "uid": "u"}, "spec": spec}
        policy = effective.policy(body, governing, LABELS)
        check(policy)
        priced = table([(Identity("l"), decode(LLMPriceListSpec, prices or {}, "spec"))])
        if priced.refused:
            return f"refused: {priced.refused}"
    except Invalid as invalid:
        return f"refused: {invalid}"
    inputs = Inputs(
        settings=Settings(), facts=Facts(), prices=priced, policies=(policy,), fleets=tuple(governing), namespaces={"team": LABELS}
    )
    parts = [*fleet_parts(inputs), *policy_parts(inputs, policy)]
    pod = decode_pod(msgspec.json.encode(POD))
    decision = decide(pod, namespace("team", LABELS, [compiled(policy, Platform())]))
    return json.dumps([[part.manifests for part in parts], decision.reason.value, decision.operations, policy.restrictions], default=str)


Case = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The spec without and with the field changed."""
