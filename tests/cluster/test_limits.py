"""A pod that LimitRanges and quotas of a real API server let pass without us passes with us, of the same class and for the same price."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonpatch
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from llmobs.api.effective import policy
from llmobs.api.settings import Settings, Sidecar
from llmobs.inject.compiled import Platform, compiled
from llmobs.inject.decide import Decision, decide
from llmobs.inject.patch import encoded
from llmobs.inject.pod import decode
from llmobs.inject.ranges import ranges
from llmobs.inject.reasons import Reason
from llmobs.inject.select import namespace as around

from tests.admission.pod_strategies import maybe, objects
from tests.admission.test_properties import asked, number
from tests.cluster.apiserver import ApiServer, until

pytestmark = pytest.mark.apiserver

GPU = "example.com/gpu"
LIMITS: dict[str, list[dict[str, Any]]] = {
    "defaults": [{"type": "Container", "default": {"cpu": "1", "memory": "1Gi"}, "defaultRequest": {"cpu": "500m", "memory": "512Mi"}}],
    "minimum": [{"type": "Container", "min": {"cpu": "100m", "memory": "64Mi"}}],
    "maximum": [{"type": "Container", "max": {"cpu": "2", "memory": "2Gi", GPU: "8", "ephemeral-storage": "4Gi"}}],
    "ratio": [{"type": "Container", "maxLimitRequestRatio": {"cpu": "2", "memory": "1.5"}}],
    "narrow": [{"type": "Container", "min": {"cpu": "250m", "memory": "128Mi"}, "max": {"cpu": "500m", "memory": "256Mi"}}],
    "a device each": [{"type": "Container", "min": {GPU: "1"}, "max": {GPU: "1"}}],
    "storage": [{"type": "Container", "default": {"ephemeral-storage": "1Gi"}, "min": {"ephemeral-storage": "100Mi"}}],
    "pod": [
        {"type": "Pod", "min": {"cpu": "200m"}, "max": {"cpu": "4", "memory": "4Gi"}, "maxLimitRequestRatio": {"memory": "4"}},
        {"type": "Container", "defaultRequest": {"cpu": "100m"}},
    ],
    "none": [],
}
QUOTAS: dict[str, dict[str, str]] = {
    "none": {},
    "every figure": {"requests.cpu": "4", "requests.memory": "4Gi", "limits.cpu": "8", "limits.memory": "8Gi"},
    "requests alone": {"cpu": "2", "memory": "2Gi"},
    "devices and storage": {f"requests.{GPU}": "2", "requests.ephemeral-storage": "3Gi", "pods": "1", "limits.ephemeral-storage": "4Gi"},
}


@pytest.fixture(scope="module")
def places(apiserver: ApiServer) -> ApiServer:
    """A namespace for every pair of LimitRange and quota; the quota counts nothing yet, as where its controller has just looked."""
    for limit, items in LIMITS.items():
        for quota, hard in QUOTAS.items():
            name = place(limit, quota)
            apiserver.create("/api/v1/namespaces", {"metadata": {"name": name}})
            if items:
                apiserver.create(f"/api/v1/namespaces/{name}/limitranges", {"metadata": {"name": "l"}, "spec": {"limits": items}})
            if hard:
                path = f"/api/v1/namespaces/{name}/resourcequotas"
                apiserver.create(path, {"metadata": {"name": "q"}, "spec": {"hard": hard}})
                # By a patch: where another test has started controllers, they write the same.
                apiserver.merge(f"{path}/q/status", {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}})
    # The server hears of them in the order in which they were made, so the last stands for all.
    until("limits are enforced", lambda: dry_run(apiserver, place("pod", "none"), pod({"limits": {"cpu": "5"}}))[0] == 403)
    until("quotas are enforced", lambda: dry_run(apiserver, place("none", "requests alone"), pod({}))[0] == 403)
    return apiserver


def place(limit: str, quota: str) -> str:
    return f"limits-{limit}-{quota}".replace(" ", "-")


def pod(*apps: dict[str, Any], inits: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    def containers(prefix: str, given: tuple[dict[str, Any], ...]) -> list[dict[str, Any]]:
        return [{"name": f"{prefix}{index}", "image": "x", "resources": item} for index, item in enumerate(given)]

    spec = {"containers": containers("app", apps), **({"initContainers": containers("init", inits)} if inits else {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api"}, "spec": spec}


def dry_run(server: ApiServer, where: str, body: dict[str, Any]) -> tuple[int, Any]:
    return server.request("POST", f"/api/v1/namespaces/{where}/pods?dryRun=All", copy.deepcopy(body))


def amounts(*names: str) -> st.SearchStrategy[dict[str, str]]:
    every = {
        "cpu": ("0", "50m", "0.1", "250m", "500m", "1"),
        "memory": ("0", "16Mi", "64Mi", "128Mi", "256Mi", "1Gi"),
        "ephemeral-storage": ("128Mi", "1Gi"),
        GPU: ("0", "1"),
    }
    return objects(**{name: maybe(st.sampled_from(every[name])) for name in names})


@st.composite
def _resources(draw: st.DrawFn) -> dict[str, Any]:
    limits = draw(amounts("cpu", "memory", "ephemeral-storage", GPU))
    requests = draw(amounts("cpu", "memory", "ephemeral-storage"))
    return {"limits": limits, "requests": {**limits, **requests} if draw(st.booleans()) else limits}


_figures = _resources()


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.sampled_from(sorted(LIMITS)),
    quota=st.sampled_from(sorted(QUOTAS)),
    apps=st.lists(_figures, min_size=1, max_size=3),
    inits=st.lists(_figures, max_size=1),
    moved=st.sampled_from([{}, {"requests": {"cpu": "300m"}, "limits": {"memory": "300Mi"}}]),
    defaulted=st.booleans(),
)
def test_what_passes_without_us_passes_with_us(
    places: ApiServer,
    limit: str,
    quota: str,
    apps: list[dict[str, Any]],
    inits: list[dict[str, Any]],
    moved: dict[str, Any],
    defaulted: bool,
) -> None:
    where = place(limit, quota)
    bare = pod(*apps, inits=tuple(inits))
    before, plain = dry_run(places, where, bare)
    event(f"{limit}: {before}")
    if before != 201:
        return
    # At admission limits are filled in already, in a file they are not.
    seen = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api"}, "spec": plain["spec"]} if defaulted else bare

    after, answer, ours = instrumented(places, limit, quota, seen, moved)

    assert after == 201, answer
    assert answer["status"]["qosClass"] == plain["status"]["qosClass"]
    [stored] = [item for item in answer["spec"]["initContainers"] if item["name"] == "llmobs-python"]
    assert same(stored["resources"], ours), "the server fills nothing in"
    assert asked(answer) == asked(plain)


@settings(max_examples=160, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.sampled_from(sorted(LIMITS)),
    quota=st.sampled_from(sorted(QUOTAS)),
    apps=st.lists(_figures, min_size=1, max_size=2),
    inits=st.lists(_figures, max_size=1),
)
def test_a_collector_beside_it_fits_or_the_pod_is_left_alone(
    places: ApiServer, limit: str, quota: str, apps: list[dict[str, Any]], inits: list[dict[str, Any]]
) -> None:
    where = place(limit, quota)
    bare = pod(*apps, inits=tuple(inits))
    before, plain = dry_run(places, where, bare)
    decision = decided(where, limit, quota, bare)
    event(f"{limit}: {before} {decision.reason.value}")
    if before != 201:
        return
    if decision.reason is not Reason.INJECTED:
        assert (decision.reason, limit in ("narrow", "maximum")) == (Reason.LITTLE_MEMORY, True) or (
            decision.reason is Reason.LITTLE_QUOTA and (limit == "pod" or quota in ("every figure", "requests alone"))
        )
        return

    patched = jsonpatch.apply_patch(bare, json.loads(encoded(decision.operations)))
    after, answer = dry_run(places, where, patched)

    assert after == 201, answer
    assert answer["status"]["qosClass"] == plain["status"]["qosClass"]
    [sent] = [item for item in patched["spec"]["initContainers"] if item["name"] == "llmobs-collector"]
    [stored] = [item for item in answer["spec"]["initContainers"] if item["name"] == "llmobs-collector"]
    assert stored["restartPolicy"] == "Always"
    assert same(stored["resources"], sent.get("resources", {})), "the server fills nothing in"
    if quota == "every figure":
        figures = read(stored["resources"]).values()
        assert not any(each.get(name) for each in figures for name in ("cpu", "memory")), "other pods' share"


@pytest.mark.parametrize(
    ("limit", "quota", "figures", "reason"),
    [
        ("none", "every figure", {"requests": {"cpu": "4", "memory": "4Gi"}, "limits": {"cpu": "8", "memory": "8Gi"}}, Reason.INJECTED),
        ("none", "requests alone", {"requests": {"cpu": "2", "memory": "2Gi"}, "limits": {"memory": "3Gi"}}, Reason.INJECTED),
        ("none", "every figure", {"limits": {"cpu": "4", "memory": "4Gi"}}, Reason.LITTLE_QUOTA),
        ("minimum", "requests alone", {"requests": {"cpu": "2", "memory": "2Gi"}}, Reason.LITTLE_QUOTA),
        ("pod", "none", {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "4", "memory": "4Gi"}}, Reason.INJECTED),
        ("pod", "none", {"limits": {"cpu": "4", "memory": "4Gi"}}, Reason.LITTLE_QUOTA),
    ],
)
def test_a_pod_that_takes_the_whole_quota_passes_with_a_collector_or_is_left_alone(
    places: ApiServer, limit: str, quota: str, figures: dict[str, Any], reason: Reason
) -> None:
    where, bare = place(limit, quota), pod(figures)
    decision = decided(where, limit, quota, bare)
    after, answer = dry_run(places, where, jsonpatch.apply_patch(bare, json.loads(encoded(decision.operations))))
    assert (decision.reason, after) == (reason, 201), answer


def test_a_platform_may_let_the_collector_count(places: ApiServer) -> None:
    """Then the quota must leave room for it, and does not here."""
    where, bare = place("none", "every figure"), pod({"limits": {"cpu": "4", "memory": "4Gi"}})
    counting = Settings(sidecar=Sidecar(counts_against_quota=True))
    decision = decided(where, "none", "every figure", bare, Platform(settings=counting))
    after, answer = dry_run(places, where, jsonpatch.apply_patch(bare, json.loads(encoded(decision.operations))))
    assert (decision.reason, after) == (Reason.INJECTED, 403), answer
    assert "exceeded quota" in answer["message"]


def decided(where: str, limit: str, quota: str, body: dict[str, Any], platform: Platform | None = None) -> Decision:
    """What admission does with a pod of a policy with a collector beside it."""
    found = policy({"metadata": {"name": "p", "namespace": where}, "spec": {"collector": {"mode": "Sidecar"}}}, [], {})
    asked_for = ranges([{"spec": {"limits": LIMITS[limit]}}, {"spec": {"hard": QUOTAS[quota]}}])
    known = around(where, {}, [compiled(found, platform or Platform())], ranges=asked_for)
    return decide(decode(json.dumps(body).encode()), known)


def same(stored: dict[str, Any], sent: dict[str, Any]) -> bool:
    """Whether the server stores what was sent, in its own way to write an amount and with requests where only limits were sent."""
    limits = sent.get("limits", {})
    whole = {"limits": limits, "requests": {**limits, **sent.get("requests", {})}}
    return read(stored) == read(whole)


def read(resources: dict[str, Any]) -> dict[str, Any]:
    return {kind: {name: number(amount) for name, amount in figures.items()} for kind, figures in resources.items() if figures}


def instrumented(server: ApiServer, limit: str, quota: str, body: dict[str, Any], moved: dict[str, Any]) -> tuple[int, Any, dict[str, Any]]:
    """The server's answer to the pod as admission leaves it, and what our init container asks for."""
    where = place(limit, quota)
    found = policy({"metadata": {"name": "p", "namespace": where}, "spec": {"injection": {"resources": moved}}}, [], {})
    asked_for = ranges([{"spec": {"limits": LIMITS[limit]}}, {"spec": {"hard": QUOTAS[quota]}}])
    decision = decide(decode(json.dumps(body).encode()), around(where, {}, [compiled(found, Platform())], ranges=asked_for))
    assert decision.reason is Reason.INJECTED
    patched = jsonpatch.apply_patch(body, json.loads(encoded(decision.operations)))
    [made] = [item for item in patched["spec"]["initContainers"] if item["name"] == "llmobs-python"]
    return (*dry_run(server, where, patched), made.get("resources", {}))


@pytest.mark.parametrize(
    ("limit", "quota", "figures"),
    [
        ("defaults", "every figure", {}),
        ("minimum", "requests alone", {"requests": {"cpu": "100m", "memory": "64Mi"}}),
        ("maximum", "devices and storage", {"limits": {"cpu": "1", "memory": "1Gi", GPU: "1", "ephemeral-storage": "1Gi"}}),
        ("ratio", "none", {"limits": {"cpu": "50m", "memory": "64Mi"}, "requests": {"cpu": "25m", "memory": "64Mi"}}),
        ("narrow", "every figure", {"limits": {"cpu": "250m", "memory": "128Mi"}}),
        ("a device each", "devices and storage", {"limits": {GPU: "1", "ephemeral-storage": "1Gi"}}),
        ("storage", "devices and storage", {}),
        ("pod", "every figure", {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "256Mi"}}),
        ("none", "every figure", {"requests": {"cpu": "0", "memory": "0"}, "limits": {"cpu": "0", "memory": "0"}}),
        ("none", "requests alone", {"requests": {"cpu": "0", "memory": "0"}}),
    ],
)
def test_a_pod_at_the_edge_of_each_limit_passes(places: ApiServer, limit: str, quota: str, figures: dict[str, Any]) -> None:
    before, plain = dry_run(places, place(limit, quota), pod(figures))
    assert before == 201, plain
    after, answer, _ = instrumented(places, limit, quota, pod(figures), {})
    assert after == 201, answer
    assert asked(answer) == asked(plain)
