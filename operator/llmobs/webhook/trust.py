"""Whether the API server would trust what is served: a handshake with ourselves, under the authorities that are published."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

PATIENCE = 2.0
"""Seconds for a look at what is published: a probe must be answered in its time."""
_TURNS = 8
"""More than the messages of any TLS handshake: a bound, not a figure."""


@dataclass(frozen=True)
class Published:
    """How the API server calls one webhook: the name it expects in the certificate, and the authorities it trusts, as PEM."""

    host: str
    authorities: str


def published(configuration: Mapping[str, Any]) -> tuple[Published, ...]:
    """What a MutatingWebhookConfiguration says about each of its webhooks."""
    return tuple(_one(item["clientConfig"]) for item in configuration.get("webhooks") or ())


def _one(client: Mapping[str, Any]) -> Published:
    service = client.get("service")
    host = f"{service['name']}.{service['namespace']}.svc" if service else urlsplit(client.get("url", "")).hostname or ""
    return Published(host=host, authorities=base64.b64decode(client.get("caBundle") or "").decode(errors="replace"))


class Known(Protocol):
    """What is known of how the API server calls us."""

    published: tuple[Published, ...]
    look: Callable[[], Awaitable[None]] | None
    """Brings ``published`` up to date; none where it can't change."""


async def doubt(context: ssl.SSLContext, known: Known) -> str:
    """Why the API server would refuse the certificate; by what is published now, not by what was the last time somebody looked.

    Authorities change before certificates do, so a replica that takes a certificate first must not stand aside for that.
    """
    reason = distrust(context, known.published)
    if not reason or known.look is None:
        return reason
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await known.look()
    return distrust(context, known.published)


def distrust(context: ssl.SSLContext, found: Iterable[Published]) -> str:
    """Why the API server would refuse the certificate that ``context`` serves; empty when it would not."""
    return next((reason for item in found if (reason := _reason(context, item))), "")


def _reason(context: ssl.SSLContext, wanted: Published) -> str:
    if not wanted.authorities:
        return f"no caBundle is published for {wanted.host} yet"
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        client.load_verify_locations(cadata=wanted.authorities)
        _shake(client, context, wanted.host)
    except (ssl.SSLError, ValueError) as error:
        said = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)
        return f"the certificate served does not verify against the published caBundle for {wanted.host}: {said}"
    return ""


def _shake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> None:
    """A TLS handshake in memory. Raises ``ssl.SSLError`` when either side refuses."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=host)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_TURNS):
        if all([_step(ours), _step(theirs)]):
            return
    raise ssl.SSLError("the handshake does not end")


def _step(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
