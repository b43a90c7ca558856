"""The serving certificate follows its files, and a bad pair never takes the last good one away."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from llmobs.kit.errors import Invalid
from llmobs.webhook.certificate import Files, ServingCertificate

from tests.unit.webhook.certificates import Pair, pair


class Served:
    """A serving certificate in a folder, and what it said of its expiry."""

    def __init__(self, folder: Path, first: Pair) -> None:
        self.folder = folder
        self.told: list[float] = []
        self.certificate = ServingCertificate(Files(*first.write(folder)), expires=self.told.append)

    def serial(self) -> int:
        """The serial number a client sees, by a handshake in memory."""
        client_context = ssl.create_default_context()
        client_context.check_hostname, client_context.verify_mode = False, ssl.CERT_NONE
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = client_context.wrap_bio(to_client, to_server)
        server = self.certificate.context.wrap_bio(to_server, to_client, server_side=True)
        for _ in range(4):
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        found = client.getpeercert(binary_form=True)
        assert found is not None
        from cryptography.x509 import load_der_x509_certificate

        return load_der_x509_certificate(found).serial_number


@pytest.fixture
def first() -> Pair:
    return pair()


@pytest.fixture
def served(tmp_path: Path, first: Pair) -> Served:
    return Served(tmp_path, first)


def test_new_files_are_served_in_the_same_context(served: Served, first: Pair) -> None:
    context, second = served.certificate.context, pair(days=7)
    assert served.serial() == first.serial

    served.certificate.refresh()
    assert served.told == [first.expires.timestamp()]

    second.write(served.folder)
    served.certificate.refresh()
    assert served.certificate.context is context
    assert served.serial() == second.serial
    assert served.told == [first.expires.timestamp(), second.expires.timestamp()]


@pytest.mark.parametrize("spoil", ["half", "other key", "gone", "no PEM"])
def test_a_bad_pair_leaves_the_last_good_one(served: Served, first: Pair, spoil: str) -> None:
    second, crt, key = pair(), served.folder / "tls.crt", served.folder / "tls.key"
    if spoil == "half":
        crt.write_bytes(second.certificate[:100])
    elif spoil == "other key":
        crt.write_bytes(second.certificate)
    elif spoil == "gone":
        crt.unlink()
    else:
        crt.write_text("nothing")

    served.certificate.refresh()
    served.certificate.refresh()
    assert served.serial() == first.serial

    crt.write_bytes(second.certificate)
    key.write_bytes(second.key)
    served.certificate.refresh()
    assert served.serial() == second.serial


def test_only_tls_1_2_and_newer_and_no_http_2(served: Served) -> None:
    assert served.certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("crt", "key", "said"),
    [
        (None, b"", "No such file or directory"),
        (b"nothing", b"nothing", "tls.crt"),
        ("good", b"nothing", "tls.crt"),
        ("good", None, "No such file or directory"),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, first: Pair, crt: bytes | str | None, key: bytes | None, said: str) -> None:
    for name, data in (("tls.crt", first.certificate if crt == "good" else crt), ("tls.key", key)):
        if isinstance(data, bytes):
            (tmp_path / name).write_bytes(data)

    with pytest.raises(Invalid) as caught:
        ServingCertificate(Files(tmp_path / "tls.crt", tmp_path / "tls.key"), expires=lambda _: None)

    assert caught.value.path.startswith("--tls-cert")
    assert said in caught.value.message
    assert str(tmp_path) in caught.value.message
