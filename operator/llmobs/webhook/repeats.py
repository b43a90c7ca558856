"""Answers that are given again: the pods of one template are decided on once, as long as nothing changes that the decision rests on.

Such pods are equal byte for byte, except for the request's uid, the random end of the token volume's name, the second in which they were
made, and the node that a DaemonSet means. All else that is sent is compared, read or not.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable
from typing import NamedTuple

from llmobs.inject.pod import Container, Pod
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace
from llmobs.webhook.review import NO_REVIEW, Answer, Request, answer, read
from llmobs.webhook.store import Store

LARGEST = 64 * 1024
"""Bytes of a request, and of an answer, above which nothing is kept: together far below what makes a pod too large."""
ROOM = 8 * 1024 * 1024
"""Bytes of requests and answers in each of the two generations."""
OVERHEAD = 1024
"""Bytes that count for each of them beside its texts."""
SEEN = 4096
"""Beginnings of requests that are remembered."""

_BEGIN = b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"'
_HEAD = re.compile(re.escape(_BEGIN) + rb'([-0-9a-f]{36})"')
_START = len(_BEGIN) + 37
_MANAGED = b'"managedFields"'
_NAME, _TOKEN, _RANDOM = b'"name":"', b'"name":"kube-api-access-', 5
_TIME, _STAMP = b'"time":"', re.compile(rb"[-:0-9TZ]{20}")
_NODE, _NODE_NAME = b'"matchFields":[{"key":"metadata.name","operator":"In","values":["', re.compile(rb"[-.0-9a-z]{1,253}")
_VOLUME = re.compile(rb'"name":"kube-api-access-[0-9A-Za-z]{5}"')
_BLANK = b" "
"""A value that none of the places can have in which pods of a template differ."""


class Key(NamedTuple):
    """A request without what differs among the pods of a template: what stands between."""

    timed: bool
    """Whether the first gap is the second in which the pod was made."""
    bound: bool
    """Whether the last gap is the name of its node; all others are names of its token volume."""
    pieces: tuple[bytes, ...]


class Template(NamedTuple):
    """What a request has in common with those of its template, and its own words for the rest."""

    key: Key
    uid: bytes
    volume: bytes
    """The name of the token volume; empty where there is none."""


def template(body: bytes) -> Template | None:
    """What a request has in common with those of its template; none for one that is not as an API server writes it."""
    head = _HEAD.match(body)
    if head is None or len(body) > LARGEST:
        return None
    pieces, volume = _nameless(body)
    pieces[0] = pieces[0][_START:]
    timed = _cut(pieces, 0, _TIME, _STAMP)
    bound = _cut(pieces, len(pieces) - 1, _NODE, _NODE_NAME)
    return Template(Key(timed, bound, tuple(pieces)), head[1], volume)


def _nameless(body: bytes) -> tuple[list[bytes], bytes]:
    at = body.find(_TOKEN, _START)
    end = at + len(_TOKEN) + _RANDOM
    if at < 0 or not body[end - _RANDOM : end].isalnum() or body[end : end + 1] != b'"':
        return [body], b""
    return body.split(body[at : end + 1]), body[at + len(_NAME) : end]


def _cut(pieces: list[bytes], index: int, before: bytes, value: re.Pattern[bytes]) -> bool:
    """Leave out a value in one of the pieces; whether it is there."""
    text = pieces[index]
    found = text.find(before)
    if found < 0:
        return False
    at = found + len(before)
    end = text.find(b'"', at)
    if value.fullmatch(text, at, end) is None:
        return False
    pieces[index : index + 1] = [text[:at], text[end:]]
    return True


class Frame(NamedTuple):
    """A key as a request is compared with it piece by piece, which takes a third of the time of cutting the request up."""

    steps: tuple[tuple[bytes, re.Pattern[bytes]], ...]
    """Pieces, each with what may stand behind it."""
    end: bytes

    @classmethod
    def of(cls, key: Key) -> Frame | None:
        """None where another volume's name could be taken for the token's."""
        if any(_TOKEN in piece for piece in key.pieces):
            return None
        gaps = [_VOLUME] * (len(key.pieces) - 1)
        if key.timed:
            gaps[0] = _STAMP
        if key.bound:
            gaps[-1] = _NODE_NAME
        return cls(tuple(zip(key.pieces, gaps, strict=False)), key.pieces[-1])

    def uid(self, body: bytes) -> bytes | None:
        """Of a request that :func:`template` gives the same key; none of any other."""
        head = _HEAD.match(body)
        if head is None or len(body) > LARGEST:
            return None
        at, volume = _START, b""
        for piece, gap in self.steps:
            found = gap.match(body, at + len(piece)) if body.startswith(piece, at) else None
            if found is None or (gap is _VOLUME and found[0] != (volume := volume or found[0])):
                return None
            at = found.end()
        return head[1] if body.startswith(self.end, at) and len(body) == at + len(self.end) else None


class _Known(NamedTuple):
    """The answer to a template, around the uid."""

    before: bytes
    after: bytes
    reason: Reason
    counted: str
    name: str
    """The namespace."""
    place: weakref.ref[Namespace]
    """All that was known of it: replaced, never changed, when anything does that a decision rests on."""


class Answers:
    """Answers to requests; the second of a template is kept and told again from the third on.

    Bounded: what was not asked for while ``ROOM`` bytes of others were is forgotten.
    """

    def __init__(self, store: Store) -> None:
        self.repeated = 0
        """Requests that were answered as another was before."""
        self._store = store
        self._seen: set[int] = set()
        self._young: dict[Key, _Known] = {}
        self._old: dict[Key, _Known] = {}
        self._bytes = 0
        self._last: dict[int, tuple[Frame, _Known]] = {}
        """Of the young ones, by how requests begin: the first to be compared with."""

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(_size(key, item) for kept in (self._young, self._old) for key, item in kept.items())

    def answer(self, body: bytes) -> Answer:
        """As :func:`llmobs.webhook.review.answer`. Never raises."""
        mark = _mark(body)
        last = self._last.get(mark)
        uid = last[0].uid(body) if last is not None else None
        if uid is not None and last is not None and self._holds(last[1]):
            return self._told(last[1], uid)
        asked = template(body) if self._seen_before(mark) else None
        if asked is None:
            return answer(body, self._store)
        known = self._young.get(asked.key) or self._old.pop(asked.key, None)
        if known is not None and self._holds(known):
            self._put(mark, asked.key, known)
            return self._told(known, asked.uid)
        made = answer(body, self._store)
        self._keep(mark, asked, made)
        return made

    def _told(self, known: _Known, uid: bytes) -> Answer:
        self.repeated += 1
        return Answer(known.before + uid + known.after, known.reason, uid=uid.decode(), namespace=known.counted)

    def _holds(self, known: _Known) -> bool:
        try:
            return known.place() is self._store.namespace(known.name)
        except Exception:  # noqa: BLE001 - whoever decides anew meets it too, and says so
            return False

    def _seen_before(self, mark: int) -> bool:
        """Whether a request began like this: others are not looked at."""
        if mark in self._seen:
            return True
        if len(self._seen) >= SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return False

    def _keep(self, mark: int, asked: Template, made: Answer) -> None:
        place = made.place
        # What depends on the size of the very request, or is logged each time, is no answer to others.
        if place is None or made.reason in (Reason.TOO_LARGE, Reason.UNREADABLE) or len(made.body) > LARGEST:
            return
        before, _, after = made.body.partition(asked.uid)
        known = _Known(before, after, made.reason, made.namespace, place.name, weakref.ref(place))
        if self._holds(known) and indifferent(asked, made.request):
            self._put(mark, asked.key, known)

    def _put(self, mark: int, key: Key, known: _Known) -> None:
        if self._young.get(key) is not known:
            self._young[key] = known
            self._bytes += _size(key, known)
        frame = Frame.of(key)
        if frame is not None:
            self._last[mark] = frame, known
        if self._bytes > ROOM:
            self._old, self._young, self._bytes, self._last = self._young, {}, 0, {}


def _mark(body: bytes) -> int:
    """What a request begins with, up to the end of what a template says of its pods' metadata."""
    return hash(body[_START : body.find(_MANAGED, _START)])


def _size(key: Key, known: _Known) -> int:
    return sum(map(len, key.pieces)) + len(known.before) + len(known.after) + OVERHEAD


def indifferent(asked: Template, request: Request | None) -> bool:
    """Whether what differs among the pods of a template is nothing that is read, except for the uid and the name of one volume.

    A volume's name is only ever compared with ours. The request is read once more with other words in those places.
    """
    if request is None or request.object is None:
        return False
    try:
        twin = read(_blank(asked.key)).request
    except NO_REVIEW:
        return False
    if twin is None or twin.object is None or twin.uid != _BLANK.decode():
        return False
    twin.uid = asked.uid.decode()
    _rename(twin.object, asked.volume.decode())
    return twin == request


def _blank(key: Key) -> bytes:
    gaps = [_NAME + _BLANK + b'"'] * (len(key.pieces) - 1)
    if key.timed:
        gaps[0] = _BLANK
    if key.bound:
        gaps[-1] = _BLANK
    return b"".join([_BEGIN, _BLANK, b'"', *(part for pair in zip(key.pieces, [*gaps, b""], strict=True) for part in pair)])


def _rename(pod: Pod, name: str) -> None:
    spec = pod.spec
    if spec is None:
        return
    containers: Iterable[Container] = [*(spec.containers or ()), *(spec.init_containers or ())]
    mounts = [mount for container in containers for mount in container.volume_mounts or ()]
    for item in (*(spec.volumes or ()), *mounts):
        if item.name == _BLANK.decode():
            item.name = name
