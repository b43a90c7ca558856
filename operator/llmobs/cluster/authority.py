"""A certificate authority of our own: pure functions over PEM text, the time is given."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)
_SKEW = timedelta(minutes=10)
"""Certificates begin in the past, for clocks that are late."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: str
    key: str


def authority(now: datetime) -> Pair:
    """A new self-signed authority, P-256, that may sign leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "llm-observability-operator webhook authority")])
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    built = (
        _begun(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _signed(built, key, key)


def leaf(issuer: Pair, hosts: Sequence[str], now: datetime) -> Pair:
    """A new serving certificate for ``hosts``, signed by ``issuer``."""
    parent, parent_key = _certificate(issuer.certificate), _key(issuer.key)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0][:64])])
    built = (
        _begun(name, parent.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(parent_key.public_key()), critical=False)
    )
    return _signed(built, parent_key, key)


def due(pem: str, now: datetime) -> bool:
    """Whether a certificate must be renewed: two thirds of its life are over, it has not begun, or it can't be read."""
    try:
        found = _certificate(pem)
    except ValueError:
        return True
    begin, end = found.not_valid_before_utc, found.not_valid_after_utc
    return not begin <= now < begin + (end - begin) * 2 / 3


def serves(pair: Pair, issuer: Pair, hosts: Sequence[str]) -> bool:
    """Whether a serving certificate was signed by ``issuer``, is for exactly ``hosts`` and fits its key."""
    try:
        found, parent = _certificate(pair.certificate), _certificate(issuer.certificate)
        found.verify_directly_issued_by(parent)
        named = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
        return named == list(hosts) and _fits(pair) and _fits(issuer)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False


def usable(pair: Pair) -> bool:
    """Whether both parts can be read and belong together."""
    try:
        return _fits(pair)
    except (ValueError, TypeError):
        return False


def bundle(newest: str, earlier: str, now: datetime) -> str:
    """The authorities to trust: the newest first, then every earlier one that has not expired, each once."""
    found = [_certificate(newest)]
    with suppress(ValueError):  # nothing readable: nothing to keep
        found += [item for item in x509.load_pem_x509_certificates(earlier.encode()) if item.not_valid_after_utc > now]
    unique = dict.fromkeys(item.public_bytes(serialization.Encoding.PEM).decode() for item in found)
    return "".join(unique)


def expiry(pem: str) -> datetime:
    """When a certificate ends."""
    return _certificate(pem).not_valid_after_utc


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
    )


def _signed(built: x509.CertificateBuilder, by: ec.EllipticCurvePrivateKey, key: ec.EllipticCurvePrivateKey) -> Pair:
    signed = built.sign(by, hashes.SHA256())
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(certificate=signed.public_bytes(serialization.Encoding.PEM).decode(), key=text.decode())


def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def _key(pem: str) -> ec.EllipticCurvePrivateKey:
    found = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise TypeError("not an elliptic curve key")
    return found


def _fits(pair: Pair) -> bool:
    return _certificate(pair.certificate).public_key() == _key(pair.key).public_key()
