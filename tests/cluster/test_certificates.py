"""The webhook's certificate against the real API server: made, published, renewed, repaired."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from llmobs.api.settings import Settings
from llmobs.cluster.certificates import hosts, keep
from llmobs.cluster.client import Client
from llmobs.cluster.installation import AUTHORITY, CERTIFICATE, WEBHOOK
from llmobs.handlers.certificates import reconcile
from llmobs.handlers.context import Context

from tests.cluster.apiserver import ApiServer
from tests.cluster.client import act

pytestmark = pytest.mark.apiserver

DAY = timedelta(days=1)


def secret(server: ApiServer, namespace: str, name: str) -> dict[str, str]:
    found = server.get(f"/api/v1/namespaces/{namespace}/secrets/{name}")
    return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}


def published(server: ApiServer) -> list[str]:
    found = server.get(f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{WEBHOOK}")
    return [base64.b64decode(item["clientConfig"].get("caBundle", "")).decode() for item in found["webhooks"]]


@pytest.fixture
def configuration(apiserver: ApiServer, namespace: str) -> Any:
    path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
    hook = {
        "name": "pods.llmobs.dev",
        "clientConfig": {"service": {"name": WEBHOOK, "namespace": namespace, "path": "/mutate"}},
        "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}],
        "objectSelector": {"matchLabels": {"never": namespace}},
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    made = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": WEBHOOK}}
    yield apiserver.create(path, {**made, "webhooks": [hook]})
    apiserver.delete(f"{path}/{WEBHOOK}")


def test_certificates_are_made_published_and_then_left_alone(apiserver: ApiServer, namespace: str, configuration: Any) -> None:
    assert configuration["webhooks"][0]["clientConfig"].get("caBundle") is None
    now = datetime.now(tz=UTC)
    ends = act(apiserver, lambda client: keep(client, namespace, {}, now))
    served, root = secret(apiserver, namespace, CERTIFICATE), secret(apiserver, namespace, AUTHORITY)
    assert published(apiserver) == [root["ca.crt"]] == [served["ca.crt"]]
    assert "ca.key" not in served
    leaf = x509.load_pem_x509_certificate(served["tls.crt"].encode())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(root["ca.crt"].encode()))
    names_ = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    assert names_ == hosts(namespace)
    assert abs(ends - now - 90 * DAY) < DAY
    assert act(apiserver, lambda client: keep(client, namespace, {}, now + 59 * DAY)) == ends
    assert secret(apiserver, namespace, CERTIFICATE) == served


def test_a_leaf_is_renewed_after_two_thirds_of_its_life_under_the_same_authority(
    apiserver: ApiServer, namespace: str, configuration: Any
) -> None:
    now = datetime.now(tz=UTC)
    first = act(apiserver, lambda client: keep(client, namespace, {}, now))
    root = secret(apiserver, namespace, AUTHORITY)
    assert act(apiserver, lambda client: keep(client, namespace, {}, now + 61 * DAY)) > first
    assert secret(apiserver, namespace, AUTHORITY) == root


def test_a_lost_authority_is_replaced_while_the_old_one_stays_trusted(apiserver: ApiServer, namespace: str, configuration: Any) -> None:
    now = datetime.now(tz=UTC)
    act(apiserver, lambda client: keep(client, namespace, {}, now))
    old = secret(apiserver, namespace, AUTHORITY)["ca.crt"]
    apiserver.delete(f"/api/v1/namespaces/{namespace}/secrets/{AUTHORITY}")
    act(apiserver, lambda client: keep(client, namespace, {}, now))
    new = secret(apiserver, namespace, AUTHORITY)["ca.crt"]
    assert new.endswith(old)
    assert new != old
    assert published(apiserver) == [new]


def test_a_bundle_that_somebody_changed_is_published_again(apiserver: ApiServer, namespace: str, configuration: Any) -> None:
    now = datetime.now(tz=UTC)
    act(apiserver, lambda client: keep(client, namespace, {}, now))
    [before] = published(apiserver)
    changed = {**configuration["webhooks"][0], "clientConfig": {**configuration["webhooks"][0]["clientConfig"]}}
    apiserver.merge(f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{WEBHOOK}", {"webhooks": [changed]})
    assert published(apiserver) == [""]
    act(apiserver, lambda client: keep(client, namespace, {}, now))
    assert published(apiserver) == [before]


@pytest.mark.parametrize(
    "days",
    [[0, -400, 0], [0, 4000, 0], [0, 80, 20], [0, -1, 0], [4000, 0, 4001]],
    ids=["back", "ahead", "weeks", "a day", "far ahead first"],
)
def test_whatever_the_clock_does_what_is_served_is_valid_and_trusted(
    apiserver: ApiServer, namespace: str, configuration: Any, days: list[int]
) -> None:
    begin = datetime.now(tz=UTC)
    for jump in days:
        now = begin + jump * DAY
        assert act(apiserver, lambda client, now=now: keep(client, namespace, {}, now)) > now
        served, [trusted] = secret(apiserver, namespace, CERTIFICATE), published(apiserver)
        leaf = x509.load_pem_x509_certificate(served["tls.crt"].encode())
        issuers = [item for item in x509.load_pem_x509_certificates(trusted.encode()) if item.not_valid_before_utc <= now]
        assert leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc
        leaf.verify_directly_issued_by(issuers[0])
        assert issuers[0].not_valid_after_utc > leaf.not_valid_after_utc
        version = apiserver.get(f"/api/v1/namespaces/{namespace}/secrets/{CERTIFICATE}")["metadata"]["resourceVersion"]
        act(apiserver, lambda client, now=now: keep(client, namespace, {}, now))
        again = apiserver.get(f"/api/v1/namespaces/{namespace}/secrets/{CERTIFICATE}")["metadata"]["resourceVersion"]
        assert again == version, "what is good is left alone"


def test_what_is_left_to_cert_manager_is_not_touched(apiserver: ApiServer, namespace: str, configuration: Any) -> None:
    marked = {"metadata": {"annotations": {"cert-manager.io/inject-ca-from": f"{namespace}/llmobs-webhook"}}}
    apiserver.merge(f"/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/{WEBHOOK}", marked)

    async def keep_it(client: Client) -> float | None:
        unused: Any = None
        context = Context(
            client=client,
            settings=Settings(),
            namespace=namespace,
            reader=unused,
            recorder=unused,
            metrics=unused,
            ask=unused,
            gather=unused,
        )
        return await reconcile(context)

    assert act(apiserver, keep_it) is None
    assert apiserver.get(f"/api/v1/namespaces/{namespace}/secrets")["items"] == []
    assert published(apiserver) == [""]
