"""What leaves the gateway of prompts and answers: the step before all others that look at spans, so that content costs nothing later.

First only the attributes stay that are known by name to hold none. The rest stands beside, is searched for what may leave too, cut
and masked, and comes back. So a statement that fails leaves less, not more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llmobs.api.v1alpha1.content import Capture, UserIds
from llmobs.catalogue import metadata
from llmobs.kit.words import any_case
from llmobs.plan.collector import cards, hashing, masks, observe
from llmobs.plan.collector.ottl import Place, assign, at, drop, group, keep, literal, matches, resource, transform
from llmobs.plan.collector.policies import CAPTURE
from llmobs.plan.collector.sampling import threshold
from llmobs.plan.collector.treatment import Treatment

REMOVED = "[removed]"

PROBE = "\x1d"
"""The name of a text that is masked with the others, to see that it is: ASCII's group separator."""

MESSAGE = PROBE * 2
"""The name of a status message among the texts; of a client's attributes none is there that is called so."""

SPAN, EVENT = "span", "spanevent"

_RANDOM = "Substring(span.trace_id.string, 18, 14)"


def privacy(captured: Sequence[Treatment] = ()) -> dict[str, Any]:
    """The processor; ``captured``: the classes of content that are more than the plain one.

    Whatever is not plainly of a class that captures, or is of a trace that is not chosen, counts as None.
    """
    kept = [item for item in captured if item.capture is not Capture.NONE]
    whole = [item for item in kept if item.capture is Capture.FULL and item.ratio == 1]
    less = _all(f"{resource(CAPTURE)} != {literal(item.name)}" for item in whole)
    none = _all(_spared(item) for item in kept)
    return transform(
        observe.documents(),
        *hashing.unforged(captured),
        group("resource", [drop("resource.attributes", metadata.ADDRESSES)], conditions=less),
        group("scope", [drop("scope.attributes", ".*")], conditions=less),
        group("span", [*_split(SPAN), *_nothing(SPAN), *_join(SPAN), _status(), _called(SPAN)], conditions=none),
        group("spanevent", _event(), conditions=none),
        *(made for alike in _alike(kept) for made in _class(alike)),
        *_users(captured, UserIds.HASH),
        *_users(captured, UserIds.DROP),
    )


def _all(conditions: Iterable[str]) -> list[str]:
    """One condition that all hold; without any, none."""
    return [found] if (found := " and ".join(conditions)) else []


def _spared(item: Treatment) -> str:
    """The condition that a span is not captured by this class.

    A condition that fails would let content out, so none asks for the part of an identifier that is not there.
    """
    other = f"{resource(CAPTURE)} != {literal(item.name)}"
    missed = f'span.trace_id.string == "" or {_RANDOM} < {literal(threshold(item.ratio))}'
    return f"({other})" if item.ratio == 1 else f"({other} or {missed})"


def _alike(kept: Iterable[Treatment]) -> Iterable[list[Treatment]]:
    """Classes whose texts are treated alike: they share their statements, which are long."""
    found: dict[object, list[Treatment]] = {}
    for item in kept:
        found.setdefault((item.capture, item.longest, item.masked), []).append(item)
    return found.values()


def _chosen(item: Treatment) -> str:
    mine = f"{resource(CAPTURE)} == {literal(item.name)}"
    chosen = f'span.trace_id.string != "" and {_RANDOM} >= {literal(threshold(item.ratio))}'
    return mine if item.ratio == 1 else f"({mine} and {chosen})"


def _class(alike: list[Treatment]) -> Iterable[dict[str, object]]:
    item, either = alike[0], [_chosen(item) for item in alike]
    message = hashing.message(REMOVED) if item.capture is Capture.HASH else ()
    called = [] if item.capture is Capture.FULL else [_called(SPAN)]
    yield group("span", [*_split(SPAN), *_some(SPAN, item), *message, *called], conditions=either)
    called = [] if item.capture is Capture.FULL else [_called(EVENT)]
    yield group("spanevent", [*_split(EVENT), *_some(EVENT, item), *called], conditions=either)


def _some(path: str, item: Treatment) -> Iterable[str]:
    """Texts are cut, then masked; what is a list or a map becomes a text before. An application's own attributes stay as they came."""
    rest, own = at(f"{path}.cache", "rest"), at(f"{path}.cache", "own")
    yield drop(rest, known())
    yield drop(rest, metadata.RESERVED)
    yield drop(rest, metadata.SECRETS)
    yield from () if item.capture is Capture.FULL else [drop(rest, metadata.NO_NAMES)]
    if path == SPAN:
        yield assign(own, rest)
        yield drop(own, namespaces())
        yield drop(own, metadata.ADDRESSES)
        yield drop(own, text())
        others = f"{namespaces()}|{metadata.ADDRESSES}|{text()}"
        yield f"keep_matching_keys({rest}, {literal(others)})"
        yield from () if item.capture is Capture.HASH else _waiting(rest)
    yield f"stringify_all({rest})"
    yield from hashing.texts(path, rest) if item.capture is Capture.HASH else _softened(rest, item)
    yield f'merge_maps({path}.attributes, {rest}, "upsert"){_where(_masked(rest, item))}'
    yield f"delete_key({path}.attributes, {literal(PROBE)})"
    if path == SPAN:
        yield from () if item.capture is Capture.HASH else _back(rest, item)
        yield f'merge_maps({path}.attributes, {own}, "upsert")'


def _waiting(texts: str) -> Iterable[str]:
    """The status message goes the way of the attributes, as if it were one."""
    message = "span.status.message"
    yield assign(at(texts, MESSAGE), message, f'{message} != ""')
    yield assign(message, literal(REMOVED), f'{message} != ""')


def _back(texts: str, item: Treatment) -> Iterable[str]:
    yield assign("span.status.message", at(texts, MESSAGE), f"{at(texts, MESSAGE)} != nil", *_masked(texts, item))
    yield f"delete_key(span.attributes, {literal(MESSAGE)})"


def _softened(texts: str, item: Treatment) -> Iterable[str]:
    """Every text of a map, cut and then masked: what is cut away can't be half of what a mask looks for.

    A pattern is tried unless it is known that nothing in the map can match it, and a step counts as done by what became of the
    probe, or by that knowledge.
    """
    yield f"truncate_all({texts}, {item.longest})"
    if not item.masked:
        return
    yield from _hints(texts, item)
    yield from _step(texts, 0, masks.APART, (f"{cards.MARK}\\nx", f"\\n{cards.MARK}x"))
    for index, (pattern, word) in enumerate(item.masked):
        yield from _mask(texts, index + 1, pattern, word)
    yield from _step(texts, len(item.masked) + 1, masks.TOGETHER, (cards.MARK, ""))


def _mask(texts: str, index: int, pattern: str, word: str) -> Iterable[str]:
    hint = masks.HINTED.get(pattern)
    if pattern == cards.NUMBER:
        yield from _step(texts, index, cards.rewrites(word), (cards.PROBE, cards.probed(word)), hint)
    else:
        yield from _step(texts, index, [(f"{PROBE}|{pattern}", word)], (PROBE, word), hint)


def _step(texts: str, index: int, rewrites: Iterable[tuple[str, str]], probe: tuple[str, str], hint: str | None = None) -> Iterable[str]:
    """Patterns and what stands in place of what they match, one after the other; of ``probe`` the first becomes the second if all work."""
    possible = [f"{_note(texts, hint)} != false"] if hint else []
    done, before = literal(Place(index + 1)), [f"{_done(texts)} == {literal(Place(index))}"] if index else []
    yield assign(at(texts, PROBE), literal(probe[0]))
    for pattern, word in rewrites:
        yield f'replace_all_patterns({texts}, "value", {literal(pattern)}, {literal(word)}){_where(possible)}'
    yield assign(_done(texts), done, f"{at(texts, PROBE)} == {literal(probe[1])}", *before)
    if hint:
        yield assign(_done(texts), done, f"{_note(texts, hint)} == false", *before)


def _hints(texts: str, item: Treatment) -> Iterable[str]:
    """Notes whether the texts hold what a pattern needs; a note that could not be made is none, and the pattern is tried."""
    wanted = {masks.HINTED[pattern] for pattern, _ in item.masked if pattern in masks.HINTED}
    wanted |= {masks.WITHIN[hint] for hint in wanted if hint in masks.WITHIN}
    whole = _note(texts, "whole")
    if wanted:
        yield assign(whole, f"String({texts})")
    for hint in sorted(wanted, key=lambda hint: (hint in masks.WITHIN, hint)):
        wider = [_note(texts, masks.WITHIN[hint])] if hint in masks.WITHIN else []
        yield from (assign(_note(texts, hint), "false", f"{item} == false") for item in wider)
        yield assign(_note(texts, hint), matches(whole, masks.HINTS[hint]), f"{whole} != nil", *(f"{item} != false" for item in wider))


def _masked(texts: str, item: Treatment) -> list[str]:
    """The condition that every step of masking did its work on the probe, which goes through it like any text."""
    return [f"{_done(texts)} == {literal(Place(len(item.masked) + 2))}"] if item.masked else []


def _done(texts: str) -> str:
    """How many steps did their work so far."""
    return _note(texts, "done")


def _note(texts: str, name: str) -> str:
    """Where something is noted about the texts, beside them."""
    return texts.removesuffix('"]') + f' {name}"]'


def _where(conditions: list[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""


def _users(captured: Sequence[Treatment], wanted: UserIds) -> Iterable[dict[str, object]]:
    """Hashes or leaves out users, whatever becomes of texts."""
    mine = hashing.conditions(item for item in captured if item.users is wanted)
    for path in (SPAN, EVENT) if mine else ():
        attributes = f"{path}.attributes"
        hashed = [hashing.marked(attributes, name) for name in metadata.USERS] if wanted is UserIds.HASH else []
        yield group(path, [*hashed, *(f"delete_key({attributes}, {literal(name)})" for name in metadata.USERS)], conditions=mine)


def namespaces() -> str:
    """The pattern of names of which only the known ones leave."""
    return _under(metadata.namespaces())


def general() -> str:
    """The pattern of the known names outside these namespaces; apart from it, because both in one are too long for one pass."""
    return _under(map(_exact, metadata.GENERAL))


def _under(names: Iterable[str]) -> str:
    """The pattern of ``names`` and all below them: anchored at both ends and sorted, without which Go does not match it in one pass."""
    return rf"(?s)^({'|'.join(sorted(names))})(\..*)?$"


def text() -> str:
    """The pattern of names that hold text by their last word."""
    return rf"(?:^|[._-]){any_case(metadata.TEXT)}$"


def text_or_secret() -> str:
    """The pattern of both, which looks at every word of a name once."""
    return rf"(?:^|[._-])(?:{any_case(metadata.TEXT)}$|{any_case(metadata.SECRET_WORDS)}(?:[._-]|$))"


def known() -> str:
    """The pattern of the names that are known."""
    return rf"^({'|'.join(map(_exact, metadata.known()))})$"


def _split(path: str) -> Iterable[str]:
    yield assign(at(f"{path}.cache", "rest"), f"{path}.attributes")
    yield keep(f"{path}.attributes", metadata.known() if path == SPAN else _in_events())


def _nothing(path: str) -> Iterable[str]:
    rest = at(f"{path}.cache", "rest")
    yield drop(rest, r"^gen_ai\.")  # a plain beginning is far cheaper than any alternation, and most names begin so
    yield drop(rest, namespaces())
    yield drop(rest, general())  # they go along anyway, and the patterns that follow are slower
    yield drop(rest, metadata.ADDRESSES)
    yield drop(rest, text_or_secret())
    yield drop(rest, metadata.NO_NAMES)  # few are left by now


def _join(path: str) -> Iterable[str]:
    yield f'merge_maps({path}.attributes, {at(f"{path}.cache", "rest")}, "upsert")'


def _status() -> str:
    return assign("span.status.message", literal(REMOVED), 'span.status.message != ""')


def _event() -> list[str]:
    return [keep("spanevent.attributes", _in_events()), _called(EVENT)]


def _called(path: str) -> str:
    """Takes away the name of a span or event that may be a sentence."""
    return assign(f"{path}.name", literal(REMOVED), f"not {matches(f'{path}.name', metadata.NAMES[path])}")


def _in_events() -> list[str]:
    return sorted({*metadata.known(), *metadata.EVENT_METADATA} - {*metadata.INPUTS})


def _exact(name: str) -> str:
    return name.replace(".", r"\.")
