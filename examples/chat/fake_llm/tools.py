"""Which tools the model asks for next: as the request's header has it, one step after the other."""

from itertools import count
from typing import Any

Json = dict[str, Any]

HEADER = "X-Fake-Tools"
"""``search,search,weather+news``: first a search, then another, then two at once, then the answer."""


numbers = count(1)
"""For the identifiers of calls, which clients expect to be unlike."""


def asked(request: Json, header: str | None) -> list[str]:
    """Return the tools of the step that follows those whose results the request holds; none: it is time to answer."""
    seen = len([item for item in _items(request) if item.get("role") == "tool" or item.get("type") == "function_call_output"])
    for step in (header or "").split(","):
        tools = [name for name in step.strip().split("+") if name]
        if seen < len(tools):
            return tools
        seen -= len(tools)
    return []


def _items(request: Json) -> list[Json]:
    listed = request.get("messages") or request.get("input") or []
    return [item for item in listed if isinstance(item, dict)]
