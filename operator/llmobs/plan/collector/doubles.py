"""One call that two instrumentations tell of, a framework's and the client library's: the framework's span is no call of its own.

Spans are looked at one by one, so those that could be the inner one leave a note on their resource first, and the others look for it
afterwards. The notes are gone before the spans go on; what one request does not bring together stays two calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmobs.catalogue import generations as names
from llmobs.catalogue.metrics import OTHER, TOKEN_TYPES
from llmobs.plan.collector import price
from llmobs.plan.collector.ottl import assign, at, drop, group, resource, scope_is, span, transform

WRAPPER = "wrapper"
"""Stands on a span in place of why it has a price or none."""

NOTES = "llmobs.doubles"
"""The resource attribute with the notes: ``s`` a scope, ``t`` whether there are two, ``a`` whether one of them is a sibling's, ``p``
parents, ``f`` figures."""

MOST = 512
"""Notes of one kind; each is searched for from the first one on. Calls beyond them are all counted."""

_INPUT, _OUTPUT = TOKEN_TYPES[:3], TOKEN_TYPES[3:]


def once() -> dict[str, Any]:
    """The processor; behind the one that prices. Spans of resources whose calls are all of one scope cost a comparison each."""
    call = f"{span(price.PRICED)} != nil"
    other = f"{_note('s')} != instrumentation_scope.name"
    several = [f"{call} and {_note('t')} != nil"]
    return transform(
        group("span", _scopes(), conditions=[f"{call} and {other}"]),
        group("span", [*_usage(), *_noted()], conditions=several),
        group("span", [*_usage(), *_asked()], conditions=several),
        group("resource", [f'delete_key(resource.attributes, "{NOTES}")']),
    )


def _note(key: str) -> str:
    return at(resource(NOTES), key)


def _cache(key: str) -> str:
    return at("span.cache", key)


def _beside() -> str:
    return scope_is(scope for item in names.generations() for scope in item.beside)


def _scopes() -> Iterator[str]:
    yield assign(_note("t"), "true", f"{_note('s')} != nil")
    yield assign(_note("a"), "true", _beside())
    yield assign(_note("s"), "instrumentation_scope.name", f"{_note('s')} == nil")


def _usage() -> Iterator[str]:
    """The tokens that a call told, as a text; the sum of the disjoint ones, because not everybody tells the parts."""
    for key, kinds in (("i", _INPUT), ("o", _OUTPUT)):
        total = " + ".join(f"Coalesce([{span(price.tokens(kind))}, 0.0])" for kind in kinds)
        yield assign(_cache(key), '""')
        yield assign(_cache(key), f"String({total})", f"{span(price.tokens(kinds[0]))} != nil")
    yield assign(_cache("u"), f'Concat([{_cache("i")}, {_cache("o")}], "|")')
    yield assign(_cache("m"), span(price.MODEL))
    yield assign(_cache("m"), f"String({span(names.REQUEST_MODEL)})", f'{_cache("m")} == "{OTHER}"', f"{span(names.REQUEST_MODEL)} != nil")


def _noted() -> Iterator[str]:
    """What the span around a call is known by: its place, or its figures; in both cases also when it tells none."""
    parent = "span.parent_span_id.string"
    place, figures = _parents(parent), _note("f")
    room = f"({place} == nil or Len({place}) < {MOST})"
    for usage in (_cache("u"), '"|"'):
        key = f'Concat([{parent}, {usage}], "|")'
        yield assign(f"{place}[{key}]", "true", f'{parent} != ""', room)
    room = f"({figures} == nil or Len({figures}) < {MOST})"
    for usage in (_cache("u"), '"|"'):
        key = f'Concat([{_cache("m")}, {usage}], "|")'
        yield assign(f"{figures}[{key}]", "true", f"{_note('a')} != nil", f"not {_beside()}", room)


def _parents(identifier: str) -> str:
    """The notes about parents whose last digit is that of ``identifier``: a sixteenth of them."""
    return f"{_note('p')}[Substring({identifier}, 15, 1)]"


def _asked() -> Iterator[str]:
    own, figures = "span.span_id.string", f'Concat([{_cache("m")}, {_cache("u")}], "|")'
    yield assign(_cache("w"), "true", f'{_parents(own)}[Concat([{own}, {_cache("u")}], "|")] == true')
    yield assign(_cache("w"), "true", f"{_note('a')} != nil", _beside(), f"{_note('f')}[{figures}] == true")
    wraps = f"{_cache('w')} == true"
    labels = "provider|model|operation|priced|outcome|error_type|agent|workflow|tokens[.].*"
    yield f"{drop('span.attributes', f'^llmobs[.]({labels})$')} where {wraps}"
    yield f'delete_key(span.attributes, "{price.COST}") where {wraps}'
    yield assign(span(price.PRICED), f'"{WRAPPER}"', wraps)
