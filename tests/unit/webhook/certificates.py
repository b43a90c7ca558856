"""Self-signed certificates for localhost, made in this process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM; the certificate is its own authority."""

    certificate: bytes
    key: bytes
    serial: int
    expires: datetime

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Put both files in place at once each, as a mounted Secret does."""
        for name, data in (("tls.crt", self.certificate), ("tls.key", self.key)):
            fresh = folder / f".{name}"
            fresh.write_bytes(data)
            fresh.replace(folder / name)
        return folder / "tls.crt", folder / "tls.key"


def pair(*, days: int = 1) -> Pair:
    """A fresh pair that expires in ``days``."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC).replace(microsecond=0)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    serial = x509.random_serial_number()
    hosts = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(hosts, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Pair(made.public_bytes(encoding), secret, serial, now + timedelta(days=days))
