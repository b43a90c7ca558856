"""The store: what is listed, what changes, and what a bad resource does not take away."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llmobs.api.settings import Settings, Watch
from llmobs.api.v1alpha1.content import Capture
from llmobs.api.v1alpha1.injection import InjectionMode
from llmobs.inject.compiled import Platform
from llmobs.kit.errors import Invalid
from llmobs.webhook.store import FLEET, KINDS, LIMIT_RANGE, NAMESPACE, POLICY, QUOTA, Place, Store

from tests.unit.webhook.service import policy


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}}


def fleet(name: str = "platform", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": spec}


def keys(store: Store, name: str = "team-a") -> list[str]:
    return [item.key for item in store.namespace(name).policies]


def variable(store: Store, name: str = "LLMOBS_CONTENT") -> bytes:
    return bytes(store.namespace("team-a").policies[0].variables[name])


def test_nothing_is_known_before_everything_is_listed() -> None:
    store = Store(Platform())
    store.replace(POLICY, [policy()])
    store.put(NAMESPACE, namespace("team-a"))

    assert not store.synced
    assert keys(store) == []

    for kind in KINDS:
        store.replace(kind, [policy()] if kind == POLICY else [])

    assert store.synced
    assert keys(store) == ["team-a/checkout"]


def scoped(*namespaces: str) -> Store:
    return Store(Platform(settings=Settings(watch=Watch(namespaces=namespaces))))


def test_of_some_namespaces_each_is_listed_before_anything_is_known() -> None:
    store = scoped("team-a", "team-b", "team-a")
    store.replace(FLEET, [])
    for place in ("team-a", "team-b"):
        assert not store.synced
        assert store.lacks(POLICY, place)
        for kind in (NAMESPACE, LIMIT_RANGE, QUOTA, POLICY):
            assert store.places(kind) == ("team-a", "team-b")
            found = {NAMESPACE: [namespace(place)], POLICY: [{**policy(), "metadata": {"name": "p", "namespace": place}}]}
            store.replace(kind, found.get(kind, []), place=place)
        assert not store.lacks(POLICY, place)

    assert store.synced
    assert (keys(store), keys(store, "team-b")) == (["team-a/p"], ["team-b/p"])


def test_the_whole_truth_about_one_namespace_leaves_the_others_alone() -> None:
    store = scoped("team-a", "team-b")
    for kind in KINDS:
        store.replace(
            kind, [policy()] if kind == POLICY else [namespace("team-a", a="1"), namespace("team-b")] if kind == NAMESPACE else []
        )
    assert store.synced

    store.replace(POLICY, [], place="team-b")
    store.replace(NAMESPACE, [], place="team-b")
    assert keys(store) == ["team-a/checkout"]
    assert store.namespace("team-a").labels["a"] == "1"

    store.replace(POLICY, [], place="team-a")
    assert keys(store) == []


def test_policies_come_change_and_go(store: Store) -> None:
    before = store.namespace("team-a")
    store.put(POLICY, policy("aa", selector={"matchLabels": {"a": "1"}}))
    assert keys(store) == ["team-a/aa", "team-a/checkout"]
    assert [item.key for item in before.policies] == ["team-a/checkout"], "a request in progress keeps what it has"

    store.put(POLICY, policy("aa", injection={"mode": "Disabled"}))
    assert store.namespace("team-a").policies[0].mode is InjectionMode.DISABLED

    store.remove(POLICY, name="aa", namespace="team-a")
    store.remove(POLICY, name="never-there", namespace="team-a")
    assert keys(store) == ["team-a/checkout"]


def test_a_list_is_the_whole_truth(store: Store) -> None:
    store.replace(POLICY, [policy("other"), policy("elsewhere", namespace="team-b")])

    assert keys(store) == ["team-a/other"]
    assert keys(store, "team-b") == ["team-b/elsewhere"]
    assert store.policies == 2


def test_what_is_being_deleted_is_gone(store: Store) -> None:
    doomed = policy()
    doomed["metadata"]["deletionTimestamp"] = "2026-11-21T00:00:00Z"

    store.put(POLICY, doomed)
    assert keys(store) == []
    store.replace(POLICY, [doomed, policy("other")])
    assert keys(store) == ["team-a/other"]


def test_labels_of_namespaces(store: Store) -> None:
    store.put(NAMESPACE, namespace("team-a", stage="prod"))
    assert store.namespace("team-a").labels == {"kubernetes.io/metadata.name": "team-a", "stage": "prod"}
    assert keys(store) == ["team-a/checkout"]

    store.remove(NAMESPACE, name="team-a")
    assert store.namespace("team-a").labels == {"kubernetes.io/metadata.name": "team-a"}
    assert store.namespace("never-seen").policies == ()


def test_fleets_govern_by_the_labels_of_namespaces(store: Store) -> None:
    store.put(FLEET, fleet(namespaceSelector={"matchLabels": {"stage": "prod"}}, defaults={"injection": {"mode": "OptIn"}}))
    assert store.namespace("team-a").policies[0].mode is InjectionMode.AUTO

    store.put(NAMESPACE, namespace("team-a", stage="prod"))
    assert store.namespace("team-a").policies[0].mode is InjectionMode.OPT_IN

    store.remove(FLEET, name="platform")
    assert store.namespace("team-a").policies[0].mode is InjectionMode.AUTO


def test_a_policy_that_turns_bad_keeps_its_last_good_state() -> None:
    told: list[tuple[Place, Invalid]] = []
    store = Store(Platform(), refused=lambda where, invalid: told.append((where, invalid)))
    for kind in KINDS:
        store.replace(kind, [policy(injection={"mode": "OptIn"})] if kind == POLICY else [])
    bad = policy(injection={"mode": "Sometimes"})

    store.put(POLICY, bad)
    store.replace(POLICY, [bad])

    assert store.namespace("team-a").policies[0].mode is InjectionMode.OPT_IN
    assert [str(where) for where, _ in told] == ["LLMObservability team-a/checkout"]
    assert str(store.problems[told[0][0]]).startswith("spec.injection.mode: must be one of")

    store.put(POLICY, policy())
    assert store.problems == {}
    store.put(POLICY, bad)
    store.remove(POLICY, name="checkout", namespace="team-a")
    assert (store.problems, keys(store), store.policies) == ({}, [], 0)


def test_a_policy_that_was_never_good_does_not_apply(store: Store) -> None:
    store.put(POLICY, policy("bad", nonsense=1))

    assert keys(store) == ["team-a/checkout"]
    assert [str(where) for where in store.problems] == ["LLMObservability team-a/bad"]


def test_the_last_good_state_of_a_policy_is_under_the_ceilings_of_today(store: Store) -> None:
    store.put(FLEET, fleet(limits={"content": {"maxCapture": "Full"}}))
    store.put(POLICY, policy(content={"capture": Capture.FULL.value}))
    assert b"Full" in variable(store)

    store.put(POLICY, policy(content={"capture": "Everything"}))
    assert b"Full" in variable(store)
    store.put(FLEET, fleet(limits={"content": {"maxCapture": "None"}}))
    assert b"None" in variable(store)


def test_a_fleet_that_turns_bad_keeps_its_last_good_state(store: Store) -> None:
    store.put(FLEET, fleet(defaults={"injection": {"mode": "Disabled"}}))
    store.put(FLEET, fleet(defaults={"injection": {"mode": "Never"}}))

    assert store.namespace("team-a").policies[0].mode is InjectionMode.DISABLED
    assert [str(where) for where in store.problems] == ["ClusterLLMObservability platform"]


def test_an_unchanged_policy_is_not_compiled_again(store: Store) -> None:
    before = store.namespace("team-a").policies[0]
    touched = policy()
    touched["metadata"]["resourceVersion"] = "77"

    store.put(POLICY, {**touched, "status": {"spend": 1}})
    store.put(NAMESPACE, namespace("team-a", stage="prod"))

    assert store.namespace("team-a").policies[0] is before


def test_a_new_generation_is_a_new_revision(store: Store) -> None:
    changed = policy(injection={"mode": "OptIn"})
    changed["metadata"] |= {"uid": "a1", "generation": 4}

    store.put(POLICY, changed)

    assert store.namespace("team-a").policies[0].revision == "a1.4"


def test_the_servers_version_reaches_admission(store: Store) -> None:
    store.served_by((1, 33))

    assert store.namespace("team-a").version == (1, 33)
    assert store.namespace("never-seen").version == (1, 33)


def test_a_resource_without_a_name_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match=r"metadata\.name: is required"):
        store.put(POLICY, {"metadata": {}})


def test_after_a_restart_what_the_status_remembers_applies_in_place_of_a_bad_spec(store: Store) -> None:
    good, bad = {"attributes": {"team": "a"}}, {"attributes": {"k8s.pod": "no"}}
    refused = policy(**bad)
    remembered = {**refused, "status": {"lastAccepted": {"generation": 1, "spec": json.dumps(good)}}}
    store.put(POLICY, remembered)
    fresh = Store(Platform())
    for kind in KINDS:
        fresh.replace(kind, [remembered] if kind == POLICY else [])
    assert fresh.namespace("team-a").policies[0].attributes == {"team": "a"}
    assert Place(POLICY, "team-a", "checkout") in fresh.problems
    fresh.replace(POLICY, [refused])
    assert keys(fresh) == []


def test_after_a_restart_the_ceilings_of_a_bad_fleet_resource_stay(store: Store) -> None:
    kept = {"generation": 1, "spec": json.dumps({"limits": {"content": {"maxCapture": "Full"}}})}
    bad = {**fleet(priority="high"), "status": {"lastAccepted": kept}}
    fresh = Store(Platform())
    for kind in KINDS:
        fresh.replace(kind, {POLICY: [policy(content={"capture": "Full"})], FLEET: [bad]}.get(kind, []))
    assert b"Full" in variable(fresh)


def test_a_fleet_stands_in_while_a_namespace_has_no_policy_of_its_own(store: Store) -> None:
    store.put(NAMESPACE, namespace("bare", stage="prod"))
    store.put(FLEET, fleet(withoutPolicy="Apply", namespaceSelector={"matchLabels": {"stage": "prod"}}))
    store.put(NAMESPACE, namespace("new", stage="prod"))
    assert (keys(store, "bare"), keys(store, "new"), keys(store)) == (["platform"], ["platform"], ["team-a/checkout"])
    assert store.namespace("bare").policies[0] is store.namespace("new").policies[0], "compiled once"

    store.put(POLICY, {**policy("own"), "metadata": {"name": "own", "namespace": "bare"}})
    assert keys(store, "bare") == ["bare/own"]
    store.remove(POLICY, name="own", namespace="bare")
    assert keys(store, "bare") == ["platform"]

    store.put(FLEET, fleet(withoutPolicy="Apply", defaults={"injection": {"mode": "OptIn"}}))
    assert store.namespace("bare").policies[0].mode is InjectionMode.OPT_IN
    store.put(FLEET, fleet(withoutPolicy="Apply", defaults={"backends": [{"name": "t", "destination": "vault"}]}))
    assert keys(store, "bare") == [], "a destination that it may not use"
    store.put(FLEET, fleet())
    assert keys(store, "bare") == []


def limit_range(**minimum: str) -> dict[str, Any]:
    return {"metadata": {"name": "l", "namespace": "team-a"}, "spec": {"limits": [{"type": "Container", "min": minimum}]}}


def test_limit_ranges_of_the_namespace_are_known(store: Store) -> None:
    assert store.namespace("team-a").ranges == {}
    store.put(LIMIT_RANGE, limit_range(cpu="1"))
    assert store.namespace("team-a").ranges["cpu"].minimum == "1"
    assert store.namespace("team-b").ranges == {}

    store.put(LIMIT_RANGE, limit_range(cpu="lots"))
    assert store.namespace("team-a").ranges == {}
    assert store.problems[Place(LIMIT_RANGE, "team-a", "l")].path == "spec.limits[0].min.cpu"
    store.put(LIMIT_RANGE, limit_range(memory="1Gi"))
    assert (set(store.namespace("team-a").ranges), store.problems) == ({"memory"}, {})
    store.remove(LIMIT_RANGE, name="l", namespace="team-a")
    assert store.namespace("team-a").ranges == {}


def test_what_quotas_count_is_known(store: Store) -> None:
    quota = {
        "metadata": {"name": "q", "namespace": "team-a"},
        "spec": {"hard": {"cpu": "1", "limits.memory": "1Gi", "requests.storage": "1"}},
    }
    store.put(LIMIT_RANGE, limit_range(cpu="1"))
    store.put(QUOTA, quota)
    found = store.namespace("team-a").ranges
    assert {name: set(item.counted) for name, item in found.items()} == {"cpu": {"requests"}, "memory": {"limits"}}
    assert found["cpu"].minimum == "1"
    store.put(QUOTA, {**quota, "status": {"used": {"cpu": "500m"}}})
    assert store.namespace("team-a").ranges is found, "how much of it is used changes with every pod, and nothing here"
    store.remove(QUOTA, name="q", namespace="team-a")
    assert not store.namespace("team-a").ranges["cpu"].counted
