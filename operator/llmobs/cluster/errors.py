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


_TRANSIENT = frozenset({408, 409, 410, 429, 500, 502, 503, 504})


def failure(status: int, answer: dict[str, Any], *, what: str, retry_after: str | None = None) -> Refused | NotYet:
    """The exception for an answer of at least 300: worth another try, or not."""
    message = str(answer.get("message") or answer.get("reason") or "no reason given")
    if status not in _TRANSIENT:
        return Refused(status, message, what=what)
    asked = (retry_after or "").strip()
    return NotYet(f"{what}: {message} ({status})", delay=float(asked) if asked.isdecimal() else 1.0)
