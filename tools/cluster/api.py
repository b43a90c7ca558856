"""A few reads from the API server and other loopback servers, fast enough to poll with."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from cluster import settings as at
from cluster.settings import Settings

_SECONDS = 5.0


def get(settings: Settings, path: str) -> Any:
    """What the API server answers to the administrator: parsed JSON, text where it is none, or None when there is no good answer."""
    token = (settings.state / "tokens.csv").read_text().split(",", 1)[0]
    trust = ssl.create_default_context(cafile=str(settings.state / "pki" / "ca.crt"))
    request = urllib.request.Request(f"https://{at.NODE_IP}:{at.API_PORT}{path}", headers={"Authorization": f"Bearer {token}"})
    return _answer(request, trust)


def plain(url: str) -> Any:
    """The same from a server without TLS."""
    return _answer(urllib.request.Request(url), None)


def _answer(request: urllib.request.Request, trust: ssl.SSLContext | None) -> Any:
    """Never through a proxy: these addresses exist on this machine only."""
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if trust:
        handlers.append(urllib.request.HTTPSHandler(context=trust))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=_SECONDS) as response:
            text = response.read().decode()
    except (OSError, urllib.error.URLError, http.client.HTTPException):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def condition(thing: Any, kind: str) -> bool:
    """Whether an object's condition of that type is True; False for an object that is not there."""
    conditions = ((thing or {}).get("status") or {}).get("conditions") or []
    return any(entry["type"] == kind and entry["status"] == "True" for entry in conditions)
