"""The certificate authority: what it makes, what it accepts, when it renews."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from llmobs.cluster.authority import Pair, authority, bundle, due, expiry, leaf, serves, usable

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)
HOSTS = ["llmobs-webhook.llmobs-system.svc"]
ROOT = authority(NOW)
LEAF = leaf(ROOT, HOSTS, NOW)


def test_an_authority_lasts_ten_years_and_signs_leaves_only() -> None:
    found = x509.load_pem_x509_certificate(ROOT.certificate.encode())
    limits = found.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (limits.ca, limits.path_length) == (True, 0)
    assert expiry(ROOT.certificate) == NOW + 3650 * DAY


def test_a_leaf_serves_its_names_under_its_authority() -> None:
    assert serves(LEAF, ROOT, HOSTS)
    assert expiry(LEAF.certificate) == NOW + 90 * DAY


@pytest.mark.parametrize(
    ("pair", "issuer", "hosts"),
    [
        (LEAF, authority(NOW), HOSTS),
        (LEAF, ROOT, [*HOSTS, "other"]),
        (Pair(LEAF.certificate, ROOT.key), ROOT, HOSTS),
        (LEAF, Pair(ROOT.certificate, LEAF.key), HOSTS),
        (Pair("", ""), ROOT, HOSTS),
        (Pair("rubbish", LEAF.key), ROOT, HOSTS),
    ],
    ids=["other authority", "other names", "other key", "authority's key lost", "nothing", "rubbish"],
)
def test_what_does_not_fit_does_not_serve(pair: Pair, issuer: Pair, hosts: list[str]) -> None:
    assert not serves(pair, issuer, hosts)


@pytest.mark.parametrize(("days", "is_due"), [(0, False), (59, False), (61, True), (91, True), (-1, True)])
def test_renewal_comes_after_two_thirds_of_a_life(days: int, is_due: bool) -> None:
    assert due(LEAF.certificate, NOW + days * DAY) is is_due


def test_what_cannot_be_read_is_due_and_not_usable() -> None:
    assert due("rubbish", NOW)
    assert not usable(Pair("rubbish", "rubbish"))
    assert usable(ROOT)


def test_a_bundle_holds_the_newest_first_and_drops_what_expired() -> None:
    old = authority(NOW - 3650 * DAY)
    middle = authority(NOW - DAY)
    text = bundle(ROOT.certificate, middle.certificate + old.certificate + ROOT.certificate, NOW)
    assert text == ROOT.certificate + middle.certificate
    assert bundle(ROOT.certificate, "", NOW) == bundle(ROOT.certificate, "rubbish", NOW) == ROOT.certificate
