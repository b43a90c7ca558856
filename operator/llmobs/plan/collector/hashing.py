"""Texts and users that leave as HMAC-SHA256: what is to be hashed is marked by its name, hashed, and gets its name back.

Only the redaction processor knows HMAC. It hashes the whole value of every attribute whose name begins with the mark, and lets all
others alone. So a step that fails leaves a hash under an odd name, never a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmobs.api import names
from llmobs.plan.collector import components as c
from llmobs.plan.collector.ottl import Expanded, Place, assign, at, drop, group, literal, resource, transform
from llmobs.plan.collector.policies import CAPTURE
from llmobs.plan.collector.treatment import Treatment

HASH, UNMARK = f"{c.REDACTION}/hash", f"{c.TRANSFORM}/hashed"

KEY = "LLMOBS_HASH_KEY"
"""The environment variable with the installation's key."""

MARK = "\x1e"
"""What the name of an attribute begins with whose value is to be hashed: ASCII's record separator."""

MOST = {"span": 128, "spanevent": 16}
"""Texts of a span and of an event that leave as hashes; OpenTelemetry's SDKs stop at 128 attributes, too."""

LENGTH = "length"
"""Last word of the name of a length."""

_MARKED = rf"^\x{ord(MARK):02x}"
_MESSAGE = MARK * 2
"""Where a status message waits: no attribute of a client gets there, because names with a mark of their own are dropped before."""
MESSAGE_LENGTH = f"otel.status_description.{LENGTH}"


def processors(classes: Iterable[Treatment]) -> dict[str, Any]:
    """The processors that hash, in order, by their names in the configuration; none where no class asks for it."""
    hashing = conditions(item for item in classes if item.hashes)
    if not hashing:
        return {}
    return {
        HASH: {
            "allow_all_keys": True,
            "ignored_key_patterns": [rf"^[^\x{ord(MARK):02x}]|^$"],
            "blocked_values": ["(?s)^.+$"],  # as one piece: a hash of each line would tell how many there are
            "redact_all_types": True,
            "hash_function": "hmac-sha256",
            "hmac_key": Expanded(f"${{env:{KEY}}}"),
            "summary": "silent",
        },
        UNMARK: transform(
            group("span", [*_message(), _unmarked("span")], conditions=hashing),
            group("spanevent", [_unmarked("spanevent")], conditions=hashing),
        ),
    }


def conditions(classes: Iterable[Treatment]) -> list[str]:
    """That a span is of one of these classes."""
    return [f"{resource(CAPTURE)} == {literal(item.name)}" for item in classes]


def unforged(classes: Iterable[Treatment]) -> list[dict[str, object]]:
    """Drops what a client calls as if it were marked, where marks are taken away again."""
    hashing = conditions(item for item in classes if item.hashes)
    return [group(path, [drop(f"{path}.attributes", _MARKED)], conditions=hashing) for path in MOST] if hashing else []


def texts(path: str, rest: str) -> Iterable[str]:
    """The texts in the map ``rest``, marked, and beside each its length in bytes."""
    lengths = at(f"{path}.cache", "lengths")
    yield f"limit({rest}, {MOST[path]}, [])"
    yield assign(lengths, "{}")
    for index in range(MOST[path]):
        name = f'Concat([Keys({rest})[{index}], {literal(LENGTH)}], ".")'
        yield assign(f"{lengths}[{name}]", f"Len(Values({rest})[{index}])", f"Len({rest}) > {literal(Place(index))}")
    yield f'replace_all_patterns({rest}, "key", "^", {literal(MARK)})'
    yield f"keep_matching_keys({rest}, {literal(_MARKED)})"
    yield f'merge_maps({path}.attributes, {lengths}, "upsert")'


def message(removed: str) -> Iterable[str]:
    """The status message, where it is hashed and waits for its place."""
    text = "span.status.message"
    yield assign(at("span.attributes", MESSAGE_LENGTH), f"Len({text})", f'{text} != ""')
    yield assign(at("span.attributes", _MESSAGE), text, f'{text} != ""')
    yield assign(text, literal(removed), f'{text} != ""')


def marked(attributes: str, name: str) -> str:
    """One attribute, marked beside itself."""
    own = at(attributes, name)
    return assign(at(attributes, MARK + name), own, f"{own} != nil")


def _message() -> Iterable[str]:
    waiting = at("span.attributes", _MESSAGE)
    yield assign("span.status.message", waiting, f"{waiting} != nil")
    yield f"delete_key(span.attributes, {literal(_MESSAGE)})"


def _unmarked(path: str) -> str:
    return f'replace_all_patterns({path}.attributes, "key", {literal(_MARKED)}, "")'


def environment(classes: Iterable[Treatment]) -> list[dict[str, Any]]:
    """The variable of a container that hashes. Without the Secret a pod does not start, and what runs goes on."""
    source = {"secretKeyRef": {"name": names.HASH_KEY, "key": names.HASH_KEY_FIELD}}
    return [{"name": KEY, "valueFrom": source}] if any(item.hashes for item in classes) else []
