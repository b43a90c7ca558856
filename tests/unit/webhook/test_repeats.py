"""Pods of one template are decided on until one repeats another; whatever a decision rests on makes it anew."""

from __future__ import annotations

import copy
import gc
import json
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from llmobs.inject.compiled import Platform
from llmobs.inject.reasons import Reason
from llmobs.webhook import repeats
from llmobs.webhook.repeats import Answers, template
from llmobs.webhook.review import answer
from llmobs.webhook.store import FLEET, KINDS, LIMIT_RANGE, NAMESPACE, POLICY, QUOTA, Store

from tests.unit.webhook.repeating import sent
from tests.unit.webhook.service import Service, policy

POD = {
    "metadata": {"generateName": "api-", "labels": {"app": "api"}, "annotations": {"a": "b"}},
    "spec": {"containers": [{"name": "app", "image": "app:1", "env": [{"name": "A", "value": "kube-api-access-abcde"}]}]},
}


@pytest.fixture
def answers(store: Store) -> Answers:
    store.put(NAMESPACE, {"metadata": {"name": "team-a"}})
    return Answers(store)


def with_(path: str, value: Any) -> dict[str, Any]:
    """The pod with one part that is otherwise."""
    made = copy.deepcopy(POD)
    part: Any = made
    *parents, last = path.split(".")
    for key in parents:
        part = part[int(key)] if isinstance(part, list) else part.setdefault(key, {})
    part[last] = value
    return made


def ask(answers: Answers, *bodies: bytes) -> int:
    """How many of these are answered as another was before; each as it would be decided on."""
    before = answers.repeated
    for body in bodies:
        store = answers._store
        made, wanted = answers.answer(body), answer(body, store)
        assert (made.body, made.reason, made.uid, made.namespace) == (wanted.body, wanted.reason, wanted.uid, wanted.namespace)
    return answers.repeated - before


def test_the_third_pod_of_a_template_is_answered_as_the_second_was(answers: Answers) -> None:
    assert [ask(answers, sent(number, POD)) for number in range(5)] == [0, 0, 1, 1, 1]
    assert json.loads(answers.answer(sent(9, POD)).body)["response"]["uid"] == "00000009-0000-4000-8000-000000000000"


def test_a_volume_of_another_name_that_looks_like_the_tokens_is_no_gap(answers: Answers) -> None:
    pod = with_("spec.volumes", [{"name": "kube-api-access-aaaaa", "emptyDir": {}}])

    assert ask(answers, *(sent(number, pod) for number in range(5))) == 3
    assert not answers._last, "its requests are cut up each time"


def test_a_mount_of_another_volume_is_another_template(answers: Answers) -> None:
    ask(answers, *(sent(number, POD) for number in range(3)))
    body = sent(3, POD)

    assert ask(answers, body.replace(token(body).encode(), b"kube-api-access-zzzzz", 1)) == 0


def test_pods_that_are_left_alone_repeat_too(answers: Answers) -> None:
    pod = with_("metadata.labels", {"llmobs.dev/inject": "false"})

    assert ask(answers, *(sent(number, pod) for number in range(4))) == 2
    assert answers.answer(sent(7, pod)).reason is Reason.OPTED_OUT


def test_each_is_counted(service: Service) -> None:
    for number in range(4):
        assert service.mutate(sent(number, POD)).patch

    assert service.value("llmobs_admission_total", decision="injected", reason="Injected", k8s_namespace="team-a") == 4
    assert service.value("llmobs_admission_duration_seconds_count") == 4
    assert service.value("llmobs_admission_repeated_total") == 2


OTHERS: dict[str, dict[str, Any]] = {
    "a name": {"pod": with_("metadata.name", "api-0")},
    "a label": {"pod": with_("metadata.labels", {"app": "ape"})},
    "an annotation": {"pod": with_("metadata.annotations", {"a": "c"})},
    "an image": {"pod": with_("spec.containers.0.image", "app:2")},
    "a variable named like a token volume": {"pod": with_("spec.containers.0.env.0.value", "kube-api-access-abcdf")},
    "something that is not read": {"pod": with_("spec.hostname", "x")},
    "the operation": {"operation": "UPDATE"},
    "a dry run": {"dryRun": True},
    "who asks": {"userInfo": {"username": "somebody"}},
    "the namespace": {"namespace": "team-b"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_whatever_else_differs_is_another_template(answers: Answers, other: dict[str, Any]) -> None:
    ask(answers, *(sent(number, POD) for number in range(3)))

    assert ask(answers, sent(4, **{"pod": POD, **other})) == 0


RANGE = {"metadata": {"name": "r", "namespace": "team-a"}, "spec": {"limits": [{"type": "Container", "max": {"cpu": "1m"}}]}}
SPENT = {"metadata": {"name": "q", "namespace": "team-a"}, "spec": {"hard": {"limits.cpu": "1"}}}
OUT = {"llmobs.dev/inject": "false"}
CHANGES: dict[str, Callable[[Store], None]] = {
    "the policy": lambda store: store.put(POLICY, policy(injection={"env": [{"name": "NEW", "value": "1"}]})),
    "a policy that goes": lambda store: store.remove(POLICY, name="checkout", namespace="team-a"),
    "a policy that comes": lambda store: store.put(POLICY, policy("other", selector={"matchLabels": {"app": "api"}})),
    "all policies": lambda store: store.replace(POLICY, [policy(injection={"mode": "Disabled"})]),
    "the namespace's labels": lambda store: store.put(NAMESPACE, {"metadata": {"name": "team-a", "labels": OUT}}),
    "a LimitRange": lambda store: store.put(LIMIT_RANGE, RANGE),
    "a ResourceQuota": lambda store: store.put(QUOTA, SPENT),
    "a fleet resource": lambda store: store.put(FLEET, {"metadata": {"name": "f"}, "spec": {"defaults": {"attributes": {"team": "x"}}}}),
    "the API server's version": lambda store: store.served_by((1, 28)),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_decision_rests_on_makes_it_anew(answers: Answers, store: Store, change: Callable[[Store], None]) -> None:
    ask(answers, *(sent(number, POD) for number in range(3)))

    change(store)

    assert ask(answers, sent(3, POD)) == 0
    assert ask(answers, sent(4, POD)) == 1, "known again at once: it was the second of its kind before"


def test_a_change_that_is_due_counts_before_its_turn() -> None:
    waiting: list[Callable[[], bool]] = []
    store = Store(Platform(), schedule=waiting.append)
    for kind in KINDS:
        store.replace(kind, [policy()] if kind == POLICY else [])
    answers = Answers(store)
    ask(answers, *(sent(number, POD) for number in range(3)))

    store.put(FLEET, {"metadata": {"name": "f"}, "spec": {"defaults": {"attributes": {"team": "x"}}}})

    assert ask(answers, sent(3, POD)) == 0
    assert len(waiting) == 1, "it has not had its turn"


def token(body: bytes) -> str:
    found = template(body)
    assert found is not None
    return found.volume.decode()


NOT_KEPT: dict[str, Callable[[int], bytes]] = {
    "a container is named as the token volume": lambda number: named(number, lambda pod: pod["spec"]["containers"][0]),
    "a label is": lambda number: named(number, lambda pod: pod["metadata"]["labels"]),
    "a variable is": lambda number: named(number, lambda pod: pod["spec"]["containers"][0]["env"][0]),
    "a label holds a second": lambda number: sent(number, with_("metadata.labels.time", f"2026-11-22T01:02:{number % 60:02}Z")),
    "a second uid": lambda number: sent(number // 2, POD)[:-2] + b',"uid":"00000000-0000-4000-8000-000000000000"}}',
    "written by hand": lambda number: sent(number, POD).replace(b'{"kind":"AdmissionReview",', b'{ "kind":"AdmissionReview",'),
    "no uid of Kubernetes": lambda number: sent(number, POD, uid="u-1"),
    "no pod": lambda number: sent(number, POD, object=None),
    "unreadable": lambda number: sent(number, with_("spec.containers.0.image", 7)),
    "with a zero byte": lambda number: sent(number, POD).replace(b'"name":"app"', b'"name":"\0"'),
    "large": lambda number: sent(number, with_("metadata.annotations.a", "x" * repeats.LARGEST)),
    "a namespace that nobody knows": lambda number: sent(number, POD, namespace="team-z"),
}


def named(number: int, part: Callable[[Any], dict[str, Any]]) -> bytes:
    pod = copy.deepcopy(POD)
    part(pod)["name"] = token(sent(number, POD))
    return sent(number, pod)


@pytest.mark.parametrize("made", NOT_KEPT.values(), ids=NOT_KEPT)
def test_what_is_odd_is_decided_on_each_time(answers: Answers, made: Callable[[int], bytes]) -> None:
    assert ask(answers, *(made(number) for number in range(5))) == 0
    assert answers.size == 0


def test_a_pod_without_a_spec_is_decided_on_each_time(answers: Answers) -> None:
    whole = json.loads(sent(0, POD))
    whole["request"]["object"]["spec"] = None
    body = json.dumps(whole, separators=(",", ":")).encode()

    assert ask(answers, *[body] * 4) == 0


def test_what_depends_on_the_size_of_a_request_is_decided_on_each_time(answers: Answers, store: Store) -> None:
    store.put(POLICY, policy(injection={"env": [{"name": f"BIG_{number}", "value": "x" * 32_000} for number in range(10)]}))
    pod = with_("spec.containers", [{"name": f"c-{number}", "env": [{"name": "A"}]} for number in range(5)])

    assert ask(answers, *(sent(number, pod) for number in range(4))) == 0
    assert answers.answer(sent(4, pod)).reason is Reason.TOO_LARGE


def test_large_answers_are_not_kept(answers: Answers, store: Store) -> None:
    store.put(POLICY, policy(injection={"env": [{"name": "BIG", "value": "x" * 32_000}]}))
    pod = with_("spec.containers", [{"name": f"c-{number}", "env": [{"name": "A"}]} for number in range(3)])

    assert ask(answers, *(sent(number, pod) for number in range(4))) == 0
    assert answers.size == 0


@pytest.mark.parametrize(
    "word", [rb"kube-api-access-a\qbc", rb"kube-api-access-12345\q", rb"2026-11-22T01:02:0\qZ", rb"node-\q.example.com", b"\0"]
)
def test_what_would_be_equal_without_being_json_is_not(answers: Answers, word: bytes) -> None:
    ask(answers, *(sent(number, POD) for number in range(3)))
    body = sent(3, POD)

    for own in (token(body).encode(), b"2026-11-22T01:02:03Z", b"node-3.example.com"):
        assert ask(answers, body.replace(own, word)) == 0


def test_an_error_is_told_each_time(answers: Answers, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(answers, *(sent(number, POD) for number in range(3)))

    def broken(name: str) -> Any:
        raise KeyError(name)

    monkeypatch.setattr(store, "namespace", broken)

    assert [answers.answer(sent(number, POD)).reason for number in range(3)] == [Reason.FAILED] * 3


def test_what_is_kept_is_bounded_and_what_is_asked_for_stays(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "ROOM", 60_000)
    ask(answers, *(sent(number, POD) for number in range(3)))
    for kind in range(300):
        other = with_("metadata.labels.kind", f"{kind}")
        ask(answers, sent(0, other), sent(1, other))
        assert answers.size <= 2 * 60_000 + 8_000
        assert len(answers._last) <= len(answers._young)
        assert kind % 5 or ask(answers, sent(2, POD)) == 1
    assert ask(answers, sent(3, with_("metadata.labels.kind", "0"))) == 0


def test_requests_that_are_seen_once_leave_a_bounded_trace(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "SEEN", 20)
    for kind in range(100):
        ask(answers, sent(0, with_("metadata.labels.kind", f"{kind}")))

    assert (len(answers._seen) <= 20, answers.size) == (True, 0)


def test_a_policy_that_is_gone_is_not_kept_by_its_answers(answers: Answers, store: Store) -> None:
    ask(answers, *(sent(number, POD) for number in range(3)))
    gone = weakref.ref(store.namespace("team-a").policies[0])

    store.put(POLICY, policy(attributes={"team": "x"}))
    gc.collect()

    assert gone() is None
