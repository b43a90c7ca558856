"""Whatever the order of other webhooks, a pod ends the same and whole."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch
from hypothesis import event, given, settings
from hypothesis import strategies as st
from llmobs.inject.decide import decide
from llmobs.inject.patch import encoded
from llmobs.inject.pod import decode
from llmobs.inject.reasons import Reason

from tests.admission import pod_strategies as pods_of
from tests.admission.orders import OTHERS, Pod, Webhook, admitted, settled
from tests.admission.test_properties import around, quality


@settings(max_examples=400, deadline=None)
@given(
    pod=pods_of.pods(), spec=pods_of.policies, others=st.lists(st.sampled_from(OTHERS), min_size=1, max_size=4, unique=True), data=st.data()
)
def test_two_orders_of_webhooks_converge(pod: dict[str, Any], spec: dict[str, Any], others: list[Webhook], data: st.DataObject) -> None:
    where = around(spec)

    def ours(before: Pod) -> Pod:
        made: Pod = jsonpatch.apply_patch(before, json.loads(encoded(decide(decode(json.dumps(before).encode()), where).operations)))
        return made

    orders = [data.draw(st.permutations([ours, *others])) for _ in range(2)]
    one, other = (admitted(pod, order) for order in orders)

    reason = decide(decode(json.dumps(one).encode()), where).reason
    event(reason.value)
    assert settled(one) == settled(other)
    assert quality(one) == quality(other)
    assert reason is not Reason.INJECTED, "nothing is left to be done"
