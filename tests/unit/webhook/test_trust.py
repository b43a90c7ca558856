"""Ready means that the API server would trust what is served."""

from __future__ import annotations

import asyncio
import base64
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from llmobs.cluster.authority import authority, bundle, leaf
from llmobs.inject.compiled import Platform
from llmobs.webhook import trust
from llmobs.webhook.store import Store
from llmobs.webhook.trust import Published, distrust, doubt, published

from tests.unit.webhook.certificates import Pair, pair


def context(served: Pair, folder: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*served.write(folder))
    return made


def called(url: str, *trusted: Pair) -> dict[str, Any]:
    bundle = base64.b64encode(b"".join(item.certificate for item in trusted)).decode()
    return {"webhooks": [{"name": "pods.llmobs.dev", "clientConfig": {"url": url, "caBundle": bundle}}]}


@pytest.fixture(scope="module")
def served() -> Pair:
    return pair()


def test_a_certificate_that_verifies_is_trusted_also_beside_an_old_authority(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old, issuer = authority(now), authority(now)
    ours = leaf(issuer, ["localhost"], now)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for name, text in (("tls.crt", ours.certificate), ("tls.key", ours.key)):
        (tmp_path / name).write_text(text)
    made.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    trusted = bundle(issuer.certificate, old.certificate, now)
    expected = Published(host="localhost", authorities=trusted)
    assert not distrust(made, [expected])
    assert distrust(made, [expected, Published(host="localhost", authorities=old.certificate)])


def test_another_authority_is_told(served: Pair, tmp_path: Path) -> None:
    said = distrust(context(served, tmp_path), published(called("https://localhost:9443/mutate", pair())))
    assert said.startswith("the certificate served does not verify against the published caBundle for localhost: self-signed")


def test_another_name_is_told(served: Pair, tmp_path: Path) -> None:
    found = called("", served)
    found["webhooks"][0]["clientConfig"]["service"] = {"name": "llmobs-webhook", "namespace": "llmobs-system"}
    said = distrust(context(served, tmp_path), published(found))
    assert "for llmobs-webhook.llmobs-system.svc: Hostname mismatch" in said


def test_an_authority_that_is_not_published_yet_is_waited_for(served: Pair, tmp_path: Path) -> None:
    assert (
        distrust(context(served, tmp_path), published(called("https://localhost/mutate"))) == "no caBundle is published for localhost yet"
    )


def test_a_bundle_that_is_no_certificate_is_told(served: Pair, tmp_path: Path) -> None:
    found = called("https://localhost/mutate", served)
    found["webhooks"][0]["clientConfig"]["caBundle"] = base64.b64encode(b"nonsense").decode()
    assert "does not verify" in distrust(context(served, tmp_path), published(found))


def test_nothing_is_demanded_where_no_configuration_is_known(served: Pair, tmp_path: Path) -> None:
    assert not distrust(context(served, tmp_path), published({}))


def test_before_a_replica_stands_aside_it_looks_at_what_is_published_now(served: Pair, tmp_path: Path) -> None:
    store, looks = Store(Platform()), []
    store.published = published(called("https://localhost/mutate", pair()))

    async def look() -> None:
        looks.append(store.published)
        store.published = published(called("https://localhost/mutate", served))

    store.look = look
    made = context(served, tmp_path)
    assert asyncio.run(doubt(made, store)) == ""
    assert asyncio.run(doubt(made, store)) == ""
    assert len(looks) == 1, "what is trusted is not asked for again"


def test_an_api_server_that_does_not_answer_leaves_the_doubt(served: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "PATIENCE", 0.01)
    store = Store(Platform())
    store.published = published(called("https://localhost/mutate", pair()))
    never = asyncio.Event()

    async def look() -> None:
        await never.wait()

    store.look = look

    assert "does not verify" in asyncio.run(doubt(context(served, tmp_path), store))
