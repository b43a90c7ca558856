"""Admission over ASGI: allowed whatever happens, counted by reason, a patch only where there is one."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import jsonpatch
import pytest
from llmobs.inject.compiled import Platform
from llmobs.webhook import review as reviews
from llmobs.webhook.store import KINDS, POLICY, Store

from tests.unit.webhook.service import POD, Service, call, policy, review

REVIEWS = "llmobs_admission_total"


def test_a_pod_is_injected(service: Service) -> None:
    reply = service.mutate(review())

    assert (reply.status, reply.headers[b"content-type"]) == (200, b"application/json")
    assert int(reply.headers[b"content-length"]) == len(reply.body)
    assert json.loads(reply.body) == {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {"uid": "u-1", "allowed": True, "patchType": "JSONPatch", "patch": reply.response["patch"]},
    }
    after = jsonpatch.apply_patch(POD, reply.patch)
    assert after["metadata"]["annotations"]["llmobs.dev/policy"] == "team-a/checkout"
    assert service.value(REVIEWS, decision="injected", reason="Injected", k8s_namespace="team-a") == 1
    assert service.value("llmobs_admission_duration_seconds_count") == 1
    assert service.value("llmobs_admission_errors_total") == 0


def test_the_body_may_come_in_parts(service: Service) -> None:
    whole = review()

    assert service.mutate(whole[:10], whole[10:50], whole[50:]).response == service.mutate(whole).response


def test_the_namespace_is_the_requests(service: Service) -> None:
    pod = {**POD, "metadata": {"namespace": "team-a"}}

    assert "patch" not in service.mutate(review(pod, namespace="team-b")).response
    assert service.value(REVIEWS, decision="skipped", reason="NoPolicy", k8s_namespace="") == 1


def test_a_pod_that_is_left_alone_gets_neither_patch_nor_warning(service: Service) -> None:
    pod = {"metadata": {"labels": {"llmobs.dev/inject": "false"}}, "spec": POD["spec"]}

    assert service.mutate(review(pod)).response == {"uid": "u-1", "allowed": True}
    assert service.value(REVIEWS, decision="skipped", reason="OptedOut", k8s_namespace="team-a") == 1


def test_a_dry_run_is_answered_as_any_other(service: Service) -> None:
    assert service.mutate(review(dryRun=True)).patch


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": {"group": "apps", "kind": "Deployment"}},
        {"operation": "UPDATE"},
        {"operation": "DELETE", "object": None},
        {"subResource": "eviction", "kind": {"kind": "Eviction"}},
        {"subResource": "ephemeralcontainers"},
    ],
)
def test_what_does_not_create_a_pod_is_let_through(service: Service, request_: dict[str, Any]) -> None:
    assert service.mutate(review(**request_)).response == {"uid": "u-1", "allowed": True}
    assert service.value(REVIEWS, decision="skipped", reason="NotAPod", k8s_namespace="team-a") == 1


@pytest.mark.parametrize(
    ("body", "uid"),
    [
        (b"", ""),
        (b"not json", ""),
        (b"\xff\xfe", ""),
        (b"[]", ""),
        (b"{}", ""),
        (b'{"request": null}', ""),
        (b'{"request": {}}', ""),
        (b'{"request": {"uid": 5}}', ""),
        (review()[:-20], "u-1"),
        (review(None), "u-1"),
        (review({}), "u-1"),
        (review({"metadata": {}}), "u-1"),
        (review({"spec": {"containers": []}}), "u-1"),
        (review("a pod"), "u-1"),
        (review({"metadata": {}, "spec": {"containers": "none"}}), "u-1"),
        (review({"metadata": {"labels": {"a": 1}}, "spec": {"containers": []}}), "u-1"),
        (review({"metadata": {}, "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": "lots"}}}]}}), "u-1"),
        (b'{"request": {"uid": "u-1", "object": {"spec": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}}", "u-1"),
        (b'{"request": {"uid": "u-1", "object": {"spec": {"x": 1e9999, "containers": 5}}}}', "u-1"),
    ],
)
def test_what_cannot_be_read_is_allowed_counted_and_untouched(service: Service, body: bytes, uid: str) -> None:
    reply = service.mutate(body)

    assert reply.status == 200
    assert reply.response == {
        "uid": uid,
        "allowed": True,
        "warnings": ["llm-observability-operator left this pod alone: Unreadable: The request could not be read."],
    }
    assert sum(service.value(REVIEWS, decision="failed", reason="Unreadable", k8s_namespace=name) for name in ("", "team-a")) == 1
    assert service.value("llmobs_admission_errors_total") == 1


@pytest.mark.parametrize(("size", "reason"), [(1_400_000, "Injected"), (1_600_000, "TooLarge"), (3 * 1024 * 1024, "TooLarge")])
def test_a_large_pod_is_read_and_never_made_larger_than_fits(service: Service, size: int, reason: str) -> None:
    container = {**POD["spec"]["containers"][0], "args": ["x" * size]}
    pod = {**POD, "spec": {**POD["spec"], "containers": [container]}}

    reply = service.mutate(review(pod))

    assert (reply.response["allowed"], "patch" in reply.response) == (True, reason == "Injected")
    assert service.value(REVIEWS, decision="injected" if reason == "Injected" else "skipped", reason=reason, k8s_namespace="team-a") == 1


@pytest.mark.parametrize("depth", [500, 10_000])
def test_nesting_where_nobody_looks_harms_nobody(service: Service, depth: int) -> None:
    deep = b'{"a":' * depth + b"1" + b"}" * depth

    reply = service.mutate(review().replace(b'"containers"', b'"x": ' + deep + b', "containers"', 1))

    assert (reply.status, reply.response["uid"], reply.response["allowed"]) == (200, "u-1", True)
    assert ("patch" in reply.response) == (depth == 500)


def test_a_huge_request_is_not_kept(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmobs.webhook.app.LARGEST", 1000)
    start = b'{"request": {"uid": "u-1", "object": {"spec": "'

    one, many = service.mutate(start + b"x" * 2000), service.mutate(start, *[b"x" * 300] * 10)

    assert one.response == many.response
    assert (one.response["uid"], one.response["allowed"], "patch" in one.response) == ("u-1", True, False)
    assert sum(service.value(REVIEWS, decision="failed", reason="Unreadable", k8s_namespace=name) for name in ("", "team-a")) == 2


def test_a_mistake_of_ours_keeps_no_pod_away(service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(reviews, "decide", broken)

    with caplog.at_level(logging.ERROR):
        reply = service.mutate(review())

    assert reply.response["allowed"] is True
    assert reply.response["warnings"] == ["llm-observability-operator left this pod alone: Failed: " + reviews.Reason.FAILED.sentence]
    assert service.value(REVIEWS, decision="failed", reason="Failed", k8s_namespace="team-a") == 1
    assert "a mistake" in caplog.text


def test_logs_never_hold_the_pod(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    container = {"name": "app", "env": [{"name": "KEY", "value": "sk-very-secret"}, {"name": 5}]}

    with caplog.at_level(logging.DEBUG):
        service.mutate(review({"metadata": {}, "spec": {"containers": [container]}}))

    assert "u-1: Unreadable" in caplog.text
    assert "sk-very-secret" not in caplog.text


@pytest.mark.parametrize(
    ("version", "want"),
    [
        ("admission.k8s.io/v1", "admission.k8s.io/v1"),
        ("admission.k8s.io/v1beta1", "admission.k8s.io/v1beta1"),
        ("admission.k8s.io/v9", "admission.k8s.io/v1"),
        ("", "admission.k8s.io/v1"),
    ],
)
def test_the_answer_has_the_version_of_the_question(service: Service, version: str, want: str) -> None:
    body = json.dumps({**json.loads(review()), "apiVersion": version}).encode()

    reply = service.mutate(body)

    assert json.loads(reply.body)["apiVersion"] == want
    assert reply.patch


def test_other_paths_and_methods(service: Service) -> None:
    assert call(service.admission, "GET", "/mutate").status == 405
    assert call(service.admission, "POST", "/elsewhere").status == 404
    assert call(service.admission, "GET", "/metrics").status == 404
    assert call(service.admission, "GET", "/healthz").status == 200
    assert call(service.admission, "GET", "/readyz").status == 200
    assert call(service.probes, "POST", "/mutate").status == 404


def test_a_client_that_goes_away_is_not_counted(service: Service) -> None:
    sent: list[object] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    asyncio.run(service.admission({"type": "http", "method": "POST", "path": "/mutate", "headers": []}, receive, send))

    assert sent == []
    assert service.value("llmobs_admission_duration_seconds_count") == 0


def test_ready_once_everything_is_listed_and_not_while_stopping() -> None:
    store = Store(Platform())
    service = Service(store)
    for kind in KINDS[:-1]:
        store.replace(kind, [])
        reply = call(service.probes, "GET", "/readyz")
        assert (reply.status, reply.body) == (503, b"policies and namespaces are not all read yet\n")
    assert call(service.probes, "GET", "/healthz").status == 200

    store.replace(KINDS[-1], [])
    assert call(service.probes, "GET", "/readyz").status == 200

    service.probes.stopping = True
    assert call(service.probes, "GET", "/readyz").body == b"stopping\n"
    assert call(service.admission, "GET", "/readyz").status == 503


def test_metrics_show_every_reason_from_the_start(service: Service) -> None:
    service.store.put(POLICY, policy("broken", nonsense=True))

    reply = call(service.probes, "GET", "/metrics", headers=[(b"accept", b"text/plain;version=0.0.4")])
    text = reply.body.decode()

    assert reply.headers[b"content-type"].startswith(b"text/plain")
    assert all(f'{REVIEWS}{{decision="{item.decision}",k8s_namespace="",reason="{item.value}"}} 0.0' in text for item in reviews.Reason)
    assert 'llmobs_admission_policies{state="compiled"} 1.0' in text
    assert 'llmobs_admission_policies{state="refused"} 1.0' in text
    assert "llmobs_admission_synced 1.0" in text
    assert "_created" not in text
