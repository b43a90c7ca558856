"""The serving certificate: loaded from files, checked, and loaded anew into the live context when the files change."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography import x509

from llmobs.kit.errors import Invalid

POLL = 1.0
"""Seconds between looks at the files: Secrets are swapped by a link, of which a watch on the files would learn nothing."""

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Files:
    """Where certificate chain and key lie, as PEM."""

    certificate: Path
    key: Path

    def stamp(self) -> Stamp:
        """Changes when a file does. Raises ``OSError``."""
        found = (path.stat() for path in (self.certificate, self.key))
        return tuple((item.st_ino, item.st_mtime_ns, item.st_size) for item in found)


class ServingCertificate:
    """A TLS context that follows its files. ``expires`` is told when the certificate served expires, in seconds since 1970."""

    def __init__(self, files: Files, *, expires: Callable[[float], None]) -> None:
        self._files = files
        self._expires = expires
        self.context = _context()
        try:
            self._stamp: Stamp | None = files.stamp()
            self._load()
        except OSError as error:
            raise Invalid("--tls-cert, --tls-key", f"{error.filename or files.certificate}: {error.strerror or error}") from error
        except ValueError as error:
            raise Invalid("--tls-cert", f"{files.certificate} holds no PEM certificate: {error}") from error

    def _load(self) -> None:
        # First into a context that serves nobody: a half-written pair must not take the last good one away.
        _load(_context(), self._files)
        leaf = x509.load_pem_x509_certificate(self._files.certificate.read_bytes())
        _load(self.context, self._files)
        self._expires(leaf.not_valid_after_utc.timestamp())

    def refresh(self) -> None:
        """Load the files again if they have changed; connections that stand keep what they have."""
        try:
            stamp = self._files.stamp()
            if stamp == self._stamp:
                return
            self._load()
            self._stamp = stamp
            logger.info("serving a new certificate from %s", self._files.certificate)
        except (OSError, ValueError) as error:
            if self._stamp is not None:
                logger.error("the certificate cannot be loaded, the last good one stays: %s", error)
            self._stamp = None

    async def follow(self) -> NoReturn:
        """Refresh for ever."""
        while True:
            await asyncio.sleep(POLL)
            self.refresh()


def _load(context: ssl.SSLContext, files: Files) -> None:
    # With a password, though none is used: OpenSSL would ask the terminal for the one of an encrypted key.
    context.load_cert_chain(files.certificate, files.key, password="")


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # No HTTP/2: the API server speaks HTTP/1.1 to webhooks, so nothing else must be negotiated elsewhere either.
    context.set_alpn_protocols(["http/1.1"])
    return context
