"""What the API server can answer besides yes."""

from __future__ import annotations

from typing import Any

from llmobs.kit.errors import NotYet


class Refused(Exception):
    """The API server refused a request and would refuse it again: forbidden, invalid, unknown kind.

    ``status`` is the HTTP status, ``message`` the API server's own words.
    """

    def __init__(self, status: int, message: str, *, what: str) -> None:
        super().__init__(f"{what}: {message} ({status})")
        self.status = status
        self.message = message


class Expired(NotYet):
    """A resourceVersion is too old to go on from: list anew."""


_TRANSIENT = frozenset({408, 409, 429, 500, 502, 503, 504})


def failure(status: int, answer: dict[str, Any], *, what: str, retry_after: str | None = None) -> Refused | NotYet:
    """The exception for an answer of at least 300: worth another try, or not."""
    message = str(answer.get("message") or answer.get("reason") or "no reason given")
    if status == 410:
        return Expired(f"{what}: {message} ({status})", delay=0.0)
    if status not in _TRANSIENT:
        return Refused(status, message, what=what)
    asked = (retry_after or "").strip()
    return NotYet(f"{what}: {message} ({status})", delay=float(asked) if asked.isdecimal() else 1.0)
