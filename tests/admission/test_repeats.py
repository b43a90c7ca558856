"""Answers that are given again are those that a decision would give, for any pods, in any order, whatever changes in between."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st
from llmobs.inject.compiled import Platform
from llmobs.webhook.repeats import Answers, Frame, template
from llmobs.webhook.review import answer
from llmobs.webhook.store import FLEET, KINDS, LIMIT_RANGE, NAMESPACE, POLICY, QUOTA, Store

from tests.admission import pod_strategies as pods_of
from tests.unit.webhook.repeating import sent

NAMESPACES = ("team-a", "team-b")

_labels = st.sampled_from([{}, {"llmobs.dev/inject": "false"}, {"llmobs.dev/inject": "true"}])
_limits = st.sampled_from([{"type": "Container", "max": {"cpu": "1m"}}, {"type": "Container", "default": {"memory": "16Mi"}}])
_hard = st.sampled_from([{"limits.cpu": "1"}, {"requests.memory": "1Gi"}])
_changes = st.one_of(
    st.tuples(st.just(POLICY), st.builds(lambda spec: {"spec": spec}, pods_of.policies)),
    st.tuples(st.just(NAMESPACE), st.builds(lambda labels: {"labels": labels}, _labels)),
    st.tuples(st.just(LIMIT_RANGE), st.builds(lambda limits: {"spec": {"limits": [limits]}}, _limits)),
    st.tuples(st.just(QUOTA), st.builds(lambda hard: {"spec": {"hard": hard}}, _hard)),
    st.tuples(st.just(FLEET), st.builds(lambda team: {"spec": {"defaults": {"attributes": {"team": team}}}}, st.sampled_from("xy"))),
    st.tuples(st.just("version"), st.sampled_from([(1, 28), (1, 36)])),
    st.tuples(st.just("remove"), st.sampled_from([POLICY, LIMIT_RANGE, QUOTA])),
)


def change(store: Store, namespace: str, kind: str, more: Any) -> None:
    if kind == "version":
        store.served_by(more)
    elif kind == "remove":
        store.remove(more, name="p", namespace=namespace)
    else:
        within = {} if kind in (NAMESPACE, FLEET) else {"namespace": namespace}
        meta = {"name": namespace if kind == NAMESPACE else "p", "labels": more.get("labels", {}), **within}
        store.put(kind, {"metadata": meta, "spec": more.get("spec", {})})


def filled() -> Store:
    store = Store(Platform())
    for kind in KINDS:
        found: dict[str, list[dict[str, Any]]] = {
            NAMESPACE: [{"metadata": {"name": name}} for name in NAMESPACES],
            POLICY: [{"metadata": {"name": "p", "namespace": name}, "spec": {}} for name in NAMESPACES],
        }
        store.replace(kind, found.get(kind, []))
    return store


@settings(max_examples=150, deadline=None)
@given(data=st.data(), pods=st.lists(pods_of.pods(), min_size=1, max_size=2))
def test_what_is_told_again_is_what_would_be_decided(data: st.DataObject, pods: list[dict[str, Any]]) -> None:
    store = filled()
    answers = Answers(store)
    near = copy.deepcopy(pods[0])
    near["spec"]["containers"][0]["image"] += "x"
    for number in range(data.draw(st.integers(6, 24))):
        namespace = data.draw(st.sampled_from(NAMESPACES))
        if data.draw(st.integers(0, 5)) == 0:
            change(store, namespace, *data.draw(_changes))
        body = sent(number, data.draw(st.sampled_from([*pods, near])), namespace=namespace)

        made, wanted = answers.answer(body), answer(body, store)

        assert (made.body, made.reason, made.uid, made.namespace) == (wanted.body, wanted.reason, wanted.uid, wanted.namespace)
    event("repeated" if answers.repeated else "never repeated")


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200), at=st.integers(0, 2000), pod=pods_of.pods())
def test_any_bytes_in_any_place_are_answered_as_if_nothing_were_kept(body: bytes, at: int, pod: dict[str, Any]) -> None:
    store = filled()
    answers = Answers(store)
    whole = sent(1, pod)
    odd = whole[:at] + body + whole[at + len(body) :]
    for _ in range(2):
        for asked in (whole, odd, sent(2, pod)):
            made, wanted = answers.answer(asked), answer(asked, store)
            assert (made.body, made.reason) == (wanted.body, wanted.reason)


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=60), at=st.integers(0, 4000), pod=pods_of.pods())
def test_what_fits_the_frame_of_a_key_is_what_has_that_key(body: bytes, at: int, pod: dict[str, Any]) -> None:
    whole = sent(1, pod)
    first = template(whole)
    frame = first and Frame.of(first.key)
    assume(frame)
    assert first
    assert frame
    for asked in (
        whole,
        sent(2, pod),
        whole[:at] + body + whole[at + len(body) :],
        whole[:at] + body + whole[at:],
        whole[:at],
        whole + body,
    ):
        found = template(asked)
        event("cut up" if found else "odd")
        assert frame.uid(asked) == (found.uid if found and found.key == first.key else None)
