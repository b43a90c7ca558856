"""Counting pods policy by policy."""

from typing import Any

import pytest
from llmobs.api.effective import Policy
from llmobs.api.effective import policy as effective
from llmobs.api.settings import Admission, Instrumenter, Settings
from llmobs.cluster import pods
from llmobs.cluster.pods import tallied, tally
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.select import Namespace, namespace


def policy(name: str, spec: dict[str, Any] | None = None) -> Policy:
    meta = {"name": name, "namespace": "n", "uid": f"u-{name}", "generation": 3, "creationTimestamp": "2026-01-01T00:00:00Z"}
    return effective({"metadata": meta, "spec": spec or {}}, (), {})


def place(*policies: Policy, **labels: str) -> Namespace:
    return namespace("n", labels, [compiled(item, Platform()) for item in policies])


def pod(
    name: str, labels: dict[str, str] | None = None, *, revision: str | None = None, created: str = "2026-01-02T00:00:00Z", **spec: Any
) -> dict[str, Any]:
    marks = {"llmobs.dev/injected": "true"} if revision is not None else {}
    meta = {"name": name, "namespace": "n", "creationTimestamp": created, "labels": {**(labels or {}), **marks}}
    annotations = {} if revision is None else {"llmobs.dev/policy-revision": revision}
    return {"metadata": {**meta, "annotations": annotations}, "spec": {"containers": [{"name": "app", "image": "i"}], **spec}}


def test_pods_are_injected_outdated_missed_or_skipped() -> None:
    found = [
        pod("a", revision="u-p.3"),
        pod("b", revision="u-p.2"),
        pod("c"),
        pod("d", {"llmobs.dev/inject": "false"}),
        pod("e", hostNetwork=True),
        pod("f", hostNetwork=True),
    ]
    counted = tally(found, place(policy("p")))["n/p"]
    assert (counted.matched, counted.injected, counted.outdated, counted.missed) == (6, 2, 1, ("c",))
    assert [(item.reason, item.count, item.example) for item in counted.skipped] == [
        ("HostNetwork", 2, "e"),
        ("Missed", 1, "c"),
        ("OptedOut", 1, "d"),
    ]


def test_a_gateway_of_the_namespaces_own_is_no_pod_of_the_users() -> None:
    ours = pod("llmobs-gateway-p-x2x4z", {"app.kubernetes.io/managed-by": "llm-observability-operator", "llmobs.dev/inject": "false"})
    counted = tally([ours, pod("a", revision="u-p.3")], place(policy("p")))["n/p"]
    assert (counted.matched, counted.injected, counted.skipped) == (1, 1, ())


def test_a_pod_that_is_older_than_its_policy_was_not_missed() -> None:
    found = [pod("a", created="2025-12-31T23:59:59Z"), pod("b", created="2026-01-01T00:00:00Z"), pod("c", created="2026-01-01T00:00:01Z")]
    counted = tally(found, place(policy("p")))["n/p"]
    assert (counted.before, counted.missed) == (("a", "b"), ("c",))
    assert {item.reason: item.count for item in counted.skipped} == {"BeforePolicy": 2, "Missed": 1}


def test_of_each_workload_one_pod_tells_a_surprise() -> None:
    found = [pod(name, hostNetwork=True) for name in ("a", "b")]
    for item in found:
        item["metadata"]["ownerReferences"] = [{"kind": "DaemonSet", "name": "proxy", "controller": True}]
    found += [pod("c", hostNetwork=True), pod("d", {"llmobs.dev/inject": "false"})]
    assert tally(found, place(policy("p")))["n/p"].surprised == (("a", "HostNetwork"), ("c", "HostNetwork"))


def test_a_pod_belongs_to_the_most_specific_policy_and_the_loser_knows() -> None:
    wide, narrow = policy("wide"), policy("narrow", {"selector": {"matchLabels": {"app": "web"}}})
    counted = tally([pod("w", {"app": "web"}, revision="u-narrow.3"), pod("x")], place(wide, narrow))
    assert (counted["n/narrow"].matched, counted["n/narrow"].injected, counted["n/narrow"].elsewhere) == (1, 1, ())
    assert (counted["n/wide"].matched, counted["n/wide"].elsewhere) == (2, ("n/narrow",))
    assert {item.reason: item.count for item in counted["n/wide"].skipped} == {"Shadowed": 1, "Missed": 1}


def test_the_label_on_the_namespace_counts() -> None:
    counted = tally([pod("a")], place(policy("p"), **{"llmobs.dev/inject": "false"}))["n/p"]
    assert [item.reason for item in counted.skipped] == ["OptedOut"]
    assert counted.missed == ()


def test_a_pod_that_cannot_be_judged_is_counted_and_harms_nobody() -> None:
    strange = {"metadata": {"name": "s", "labels": {}}, "spec": {"containers": "none"}}
    counted = tally([strange, pod("a", revision="u-p.3")], place(policy("p")))["n/p"]
    assert (counted.matched, counted.injected) == (2, 1)
    assert [item.reason for item in counted.skipped] == ["Unreadable"]


def test_in_a_round_over_all_policies_each_pod_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wide, narrow = policy("wide"), policy("narrow", {"selector": {"matchLabels": {"app": "web"}}})
    there = place(wide, narrow)
    found = [pod(f"w{number}", {"app": "web"}) for number in range(3)] + [pod("x", hostNetwork=True)]
    judged: list[str] = []
    real = pods._judge
    monkeypatch.setattr(pods, "_judge", lambda count, one, *rest: (judged.append(one["metadata"]["name"]), real(count, one, *rest)))

    counted = {key: tallied(found, there, key) for key in ("n/wide", "n/narrow")}

    assert sorted(judged) == ["w0", "w1", "w2", "x"]
    assert (counted["n/wide"].matched, counted["n/narrow"].matched) == (4, 3)
    assert [(item.reason, item.count) for item in counted["n/wide"].skipped] == [("Shadowed", 3), ("HostNetwork", 1)]


@pytest.mark.parametrize("words", ["args", "command"])
def test_a_pod_that_an_admission_policy_leaves_alone_for_its_size_was_not_missed(words: str) -> None:
    native = Platform(settings=Settings(admission=Admission(by=Instrumenter.ADMISSION_POLICY)))
    there = namespace("n", {}, [compiled(policy("p", {"injection": {"delivery": "ImageVolume"}}), native)])

    def sized(name: str, size: int) -> dict[str, Any]:
        made = pod(name)
        made["spec"]["containers"][0][words] = ["x" * (size // 2)] * 2
        return made

    counted = tally([sized("small", 256 * 1024), sized("large", 256 * 1024 + 2)], there)["n/p"]

    assert counted.missed == ("small",)
    assert {item.reason: item.count for item in counted.skipped} == {"Missed": 1, "NotExpressible": 1}
