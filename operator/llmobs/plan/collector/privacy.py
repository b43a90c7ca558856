"""What leaves the gateway of prompts and answers: the step before all others that look at spans, so that content costs nothing later.

First only the attributes stay that are known by name to hold none. The rest stands beside, is searched for what may leave too, and
comes back. So a statement that fails leaves less, not more.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmobs.catalogue import metadata
from llmobs.plan.collector import observe
from llmobs.plan.collector.ottl import assign, at, drop, group, keep, literal, matches, resource, transform
from llmobs.plan.collector.policies import CAPTURE

REMOVED = "[removed]"

REST = at("span.cache", "rest")
"""The attributes of a span whose names are not known."""


def privacy() -> dict[str, Any]:
    """The processor. A resource without a word on capture counts as None."""
    none, full = f'{resource(CAPTURE)} != "Full"', f'{resource(CAPTURE)} == "Full"'
    return transform(
        observe.documents(),
        group("resource", [drop("resource.attributes", metadata.ADDRESSES)], conditions=[none]),
        group("scope", [drop("scope.attributes", ".*")], conditions=[none]),
        group("span", [*_split(), *_nothing(), *_join(), _status()], conditions=[none]),
        group("spanevent", _event(), conditions=[none]),
        group("span", [*_split(), *_everything(), *_join()], conditions=[full]),
        group("spanevent", [drop("spanevent.attributes", metadata.SECRETS)], conditions=[full]),
    )


def namespaces() -> str:
    """The pattern of names of which only the known ones leave; those outside that are known go along, because they are kept anyway."""
    return rf"^({'|'.join(sorted([*metadata.namespaces(), *map(_exact, metadata.GENERAL)]))})(\.|$)"


def text() -> str:
    """The pattern of names that hold text by their last word."""
    return rf"(?i)(^|[._-])({'|'.join(metadata.TEXT)})$"


def known() -> str:
    """The pattern of the names that are known."""
    return rf"^({'|'.join(map(_exact, metadata.known()))})$"


def _split() -> Iterable[str]:
    yield assign(REST, "span.attributes")
    yield keep("span.attributes", metadata.known())


def _nothing() -> Iterable[str]:
    yield drop(REST, r"^gen_ai\.")  # a plain beginning is far cheaper than any alternation, and most names begin so
    yield drop(REST, namespaces())
    yield drop(REST, metadata.ADDRESSES)
    yield drop(REST, text())
    yield drop(REST, metadata.SECRETS)


def _everything() -> Iterable[str]:
    yield drop(REST, known())
    yield drop(REST, metadata.RESERVED)
    yield drop(REST, metadata.SECRETS)


def _join() -> Iterable[str]:
    yield f'merge_maps(span.attributes, {REST}, "upsert")'


def _status() -> str:
    return assign("span.status.message", literal(REMOVED), 'span.status.message != ""')


def _event() -> list[str]:
    prose = f"not {matches('spanevent.name', r'^[A-Za-z0-9_./-]{1,64}$')}"
    return [
        keep("spanevent.attributes", sorted({*metadata.known(), *metadata.EVENT_METADATA})),
        assign("spanevent.name", literal(REMOVED), prose),
    ]


def _exact(name: str) -> str:
    return name.replace(".", r"\.")
