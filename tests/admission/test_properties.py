"""What holds for every pod: the patch applies, harms nothing, and a second pass changes nothing."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from typing import Any

import jsonpatch
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from llmobs.api import names
from llmobs.api.effective import policy
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import Decision, decide
from llmobs.inject.patch import encoded
from llmobs.inject.pod import decode
from llmobs.inject.reasons import Reason
from llmobs.inject.select import NEWEST, Namespace, namespace
from llmobs.webhook.review import answer
from llmobs.webhook.store import KINDS, Store

from tests.admission import pod_strategies as pods_of

ENTRY = "/llmobs/python"
EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
MARKS = {names.INJECTED, names.POLICY, names.POLICY_REVISION, names.INJECTION, EVICT}
OURS = {
    "LLMOBS_POD_NAME",
    "LLMOBS_POD_UID",
    "LLMOBS_NODE_NAME",
    "LLMOBS_ENDPOINT",
    "LLMOBS_CONTENT",
    "LLMOBS_RESOURCE_ATTRIBUTES",
}


def around(spec: dict[str, Any], version: tuple[int, int] = NEWEST) -> Namespace:
    body = {"metadata": {"name": "p", "namespace": "team-a"}, "spec": spec}
    return namespace("team-a", {}, [compiled(policy(body, [], {}), Platform())], version=version)


def decided(pod: dict[str, Any], where: Namespace) -> tuple[Decision, dict[str, Any]]:
    decision = decide(decode(json.dumps(pod).encode()), where)
    after: dict[str, Any] = jsonpatch.apply_patch(pod, json.loads(encoded(decision.operations)))
    return decision, after


def every(pod: dict[str, Any]) -> list[dict[str, Any]]:
    spec = pod["spec"]
    return [*spec["containers"], *(spec.get("initContainers") or [])]


COLLECTOR = "llmobs-collector"


def without_collector(pod: dict[str, Any]) -> dict[str, Any]:
    """The pod without our collector, the one container that may raise what it asks of a node."""
    lists = {key: [item for item in pod["spec"].get(key) or [] if item["name"] != COLLECTOR] for key in ("containers", "initContainers")}
    return {**pod, "spec": {**pod["spec"], **lists}}


@settings(max_examples=400, deadline=None)
@given(pod=pods_of.pods(), spec=pods_of.policies, version=st.sampled_from([(1, 28), NEWEST, NEWEST]))
def test_injection_of_any_pod(pod: dict[str, Any], spec: dict[str, Any], version: tuple[int, int]) -> None:
    given_pod = copy.deepcopy(pod)
    where = around(spec, version)

    decision, after = decided(pod, where)

    event(decision.reason.value)
    assert pod == given_pod
    if decision.reason is not Reason.INJECTED:
        assert decision.operations == ()
        return
    again, twice = decided(after, where)
    assert (again.reason, again.operations, twice) == (Reason.ALREADY_INJECTED, (), after)
    if spec.get("collector") == {"mode": "Sidecar"}:
        assert_collected(after, where, before=pod)
    rest = without_collector(after)
    assert_user_kept(before=pod, after=rest)
    assert_complete(rest, where, before=pod)
    assert quality(after) == quality(pod)
    assert asked(rest) == asked(pod)


def assert_collected(after: dict[str, Any], where: Namespace, *, before: dict[str, Any]) -> None:
    """One collector, in the place where this server runs it; everything instrumented sends to it, and a Job still ends."""
    native = where.version >= (1, 29)
    [place] = [key for key in ("containers", "initContainers") for item in after["spec"][key] if item["name"] == COLLECTOR]
    [collector] = [item for item in every(after) if item["name"] == COLLECTOR]
    assert place == ("initContainers" if native else "containers")
    assert collector.get("restartPolicy") == ("Always" if native else None)
    assert native or after["spec"].get("restartPolicy", "Always") == "Always"
    assert collector["env"][0]["valueFrom"]["configMapKeyRef"]["optional"] is True
    assert not any("$" in argument for argument in collector["args"])
    inits = [item["name"] for item in after["spec"]["initContainers"]]
    for container in every(after):
        own = {item["name"]: item for item in next((c for c in every(before) if c["name"] == container["name"]), {}).get("env") or []}
        sent = {item["name"]: item.get("value") for item in container.get("env") or []}
        if "LLMOBS_ENDPOINT" in sent and "LLMOBS_ENDPOINT" not in own:
            assert sent["LLMOBS_ENDPOINT"] == "http://127.0.0.1:24318"
            assert container["name"] not in inits or inits.index(container["name"]) > inits.index(COLLECTOR)


def assert_user_kept(*, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Nothing the user set is gone or different, but for what we are bound to extend."""
    for field in ("labels", "annotations"):
        own, now = before["metadata"].get(field) or {}, after["metadata"].get(field) or {}
        assert {key: now[key] for key in own if key not in MARKS} == {key: own[key] for key in own if key not in MARKS}
        assert set(now) <= set(own) | MARKS
    listed = (before["metadata"].get("annotations") or {}).get(EVICT, "")
    assert after["metadata"]["annotations"][EVICT] == (f"{listed},llmobs-python" if listed else "llmobs-python")
    rest = {"containers", "initContainers", "volumes"}
    assert {k: v for k, v in before["spec"].items() if k not in rest} == {k: v for k, v in after["spec"].items() if k not in rest}
    volumes = before["spec"].get("volumes") or []
    assert after["spec"]["volumes"][: len(volumes)] == volumes
    kept = [item for item in every(after) if item["name"] != "llmobs-python"]
    for own, now in zip(every(before), kept, strict=True):
        assert_container_kept(own, now)


def assert_container_kept(own: dict[str, Any], now: dict[str, Any]) -> None:
    added = {"env", "volumeMounts"}
    assert {k: v for k, v in own.items() if k not in added} == {k: v for k, v in now.items() if k not in added}
    mounts = own.get("volumeMounts") or []
    assert (now.get("volumeMounts") or [])[: len(mounts)] == mounts
    entries = iter(now.get("env") or [])
    variables = own.get("env") or []
    last = max((i for i, item in enumerate(variables) if item["name"] == "PYTHONPATH"), default=-1)
    for index, item in enumerate(variables):
        entry = next(entries)
        if index != last or entry == item:
            assert entry == item
        elif "valueFrom" in item:
            assert entry["valueFrom"] == item["valueFrom"]
            assert next(entries) == {"name": "PYTHONPATH", "value": f"$({entry['name']}):{ENTRY}"}
        else:
            value = item.get("value") or ""
            assert entry == {"name": "PYTHONPATH", "value": f"{value}:{ENTRY}" if value else ENTRY}


def assert_complete(after: dict[str, Any], where: Namespace, *, before: dict[str, Any]) -> None:
    rules = where.policies[0]
    apps, inits = after["spec"]["containers"], after["spec"]["initContainers"]
    targets = [item for item in apps if item["name"] not in rules.exclude and (not rules.include or item["name"] in rules.include)]
    named = [item for item in inits if item["name"] in rules.include - rules.exclude]
    assert targets or named
    for container in [*targets, *named]:
        env = container["env"]
        effective = {item["name"]: item for item in env}
        assert set(effective) >= OURS | set(rules.variables)
        assert effective["PYTHONPATH"]["value"].split(":")[-1] == ENTRY or ENTRY in effective["PYTHONPATH"]["value"].split(":")
        assert {"name": "llmobs-python", "mountPath": "/llmobs", "readOnly": True} in container["volumeMounts"]
        assert len({item["mountPath"] for item in container["volumeMounts"]}) == len(container["volumeMounts"])
    order = [item["name"] for item in inits]
    assert order.count("llmobs-python") == 1
    at = order.index("llmobs-python")
    assert [name for name in order[at + 1 :] if not named] == []
    assert all(order.index(item["name"]) > at for item in named)
    assert at == (min(order.index(item["name"]) for item in named) - 1 if named else len(order) - 1)
    assert len({item["name"] for item in after["spec"]["volumes"]}) == len(after["spec"]["volumes"])
    assert len(every(after)) == len(every(before)) + 1


def number(quantity: str) -> Fraction:
    for suffix, factor in {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "m": Fraction(1, 1000), "k": 10**3, "M": 10**6}.items():
        if quantity.endswith(suffix):
            return Fraction(quantity.removesuffix(suffix)) * factor
    return Fraction(quantity)


def figure(container: dict[str, Any], kind: str, name: str) -> Fraction:
    resources = container.get("resources") or {}
    found = (resources.get(kind) or {}).get(name)
    if found is None and kind == "requests":
        found = (resources.get("limits") or {}).get(name)
    return number(found) if found is not None else Fraction(0)


def quality(pod: dict[str, Any]) -> str:
    """The QoS class, written after Kubernetes' documentation and independently of the product."""
    if any(pod["spec"].get("resources", {}).values()):
        return "by the pod's own resources"
    containers = every(pod)
    if all(figure(item, kind, name) == 0 for item in containers for kind in ("requests", "limits") for name in ("cpu", "memory")):
        return "BestEffort"
    limited = all(figure(item, "limits", name) > 0 for item in containers for name in ("cpu", "memory"))
    sums = [[sum(figure(item, kind, name) for item in containers) for kind in ("requests", "limits")] for name in ("cpu", "memory")]
    return "Guaranteed" if limited and all(one == other for one, other in sums) else "Burstable"


def asked(pod: dict[str, Any]) -> list[Fraction]:
    """What the scheduler reserves: the larger of the app containers' sum and the largest init container."""
    apps, inits = pod["spec"]["containers"], pod["spec"].get("initContainers") or []
    return [
        max([sum((figure(item, "requests", name) for item in apps), Fraction(0)), *(figure(item, "requests", name) for item in inits)])
        for name in ("cpu", "memory")
    ]


@pytest.fixture(scope="module")
def store() -> Store:
    made = Store(Platform())
    bodies = {"LLMObservability": [{"metadata": {"name": "p", "namespace": "team-a"}, "spec": {}}]}
    for kind in KINDS:
        made.replace(kind, bodies.get(kind, []))
    return made


def respond(body: bytes, store: Store) -> tuple[Reason, dict[str, Any]]:
    made = answer(body, store)
    response = json.loads(made.body)["response"]
    assert response["allowed"] is True
    return made.reason, response


@settings(max_examples=300, deadline=None)
@given(value=pods_of.json_values)
@example(value={"request": {"uid": "1", "object": {}}})
@example(value={"request": {"uid": "1", "object": {"metadata": {}, "spec": {}}}})
def test_any_json_is_answered(store: Store, value: Any) -> None:
    reason, response = respond(json.dumps(value).encode(), store)

    assert reason in (Reason.UNREADABLE, Reason.NO_CONTAINER, Reason.NO_POLICY, Reason.NOT_A_POD)
    assert "patch" not in response


@settings(max_examples=300, deadline=None)
@given(body=st.binary(max_size=200))
def test_any_bytes_are_answered(store: Store, body: bytes) -> None:
    reason, _ = respond(body, store)

    assert reason is Reason.UNREADABLE


@settings(max_examples=400, deadline=None)
@given(data=st.data(), pod=pods_of.pods(), value=pods_of.json_values)
def test_a_pod_with_one_odd_part_is_answered(store: Store, data: st.DataObject, pod: dict[str, Any], value: Any) -> None:
    """A patch is only ever sent when it applies, however odd the pod; the uid comes back."""
    spoil(data, pod, value)
    request = {"uid": "7", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "team-a", "object": pod}

    made = answer(json.dumps({"request": request}).encode(), store)

    event(made.reason.value)
    response = json.loads(made.body)["response"]
    assert (response["uid"], response["allowed"]) == ("7", True)
    assert made.reason is not Reason.FAILED
    if made.reason is Reason.INJECTED:
        decision = decide(decode(json.dumps(pod).encode()), store.namespace("team-a"))
        jsonpatch.apply_patch(pod, json.loads(encoded(decision.operations)))


def spoil(data: st.DataObject, pod: dict[str, Any], value: Any) -> None:
    """Put ``value`` in the place of any part of ``pod``."""
    part: Any = pod
    for _ in range(data.draw(st.integers(1, 6))):
        keys = list(part) if isinstance(part, dict) else list(range(len(part)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not isinstance(part[key], dict | list) or data.draw(st.booleans()):
            part[key] = value
            return
        part = part[key]
