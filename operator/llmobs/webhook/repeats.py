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
"""Requests that are remembered as seen once."""

_BEGIN = b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"'
_HEAD = re.compile(re.escape(_BEGIN) + rb'([-0-9a-f]{36})"')
_TOKEN, _RANDOM = b'"name":"kube-api-access-', 5
_TIME = b'"time":"'
_STAMP = re.compile(rb"[-:0-9TZ]{20}")
_NODE = b'"matchFields":[{"key":"metadata.name","operator":"In","values":["'
_NODE_NAME = re.compile(rb"[-.0-9a-z]{1,253}")
_HOLE = b"\0"
"""Stands where pods of a template differ. No JSON text holds this byte."""
_BLANK = " "
"""A value that none of those places can have."""


class Template(NamedTuple):
    """A request without what differs among the pods of a template, and its own words for that."""

    key: bytes
    uid: bytes
    volume: bytes
    """The name of the token volume; empty where there is none."""


def template(body: bytes) -> Template | None:
    """What a request has in common with those of its template; none for one that is not as an API server writes it."""
    head = _HEAD.match(body)
    if head is None or len(body) > LARGEST or _HOLE in body:
        return None
    key, volume = _nameless(body[head.end() :])
    return Template(_nodeless(_timeless(key)), head[1], volume)


def _nameless(text: bytes) -> tuple[bytes, bytes]:
    at = text.find(_TOKEN)
    end = at + len(_TOKEN) + _RANDOM
    if at < 0 or not text[end - _RANDOM : end].isalnum() or text[end : end + 1] != b'"':
        return text, b""
    return text.replace(text[at : end + 1], b'"name":"' + _HOLE + b'"'), text[at + 8 : end]


def _timeless(text: bytes) -> bytes:
    at = text.find(_TIME) + len(_TIME)
    if at < len(_TIME) or _STAMP.fullmatch(text, at, at + 20) is None or text[at + 20 : at + 21] != b'"':
        return text
    return text.replace(_TIME + text[at : at + 21], _TIME + _HOLE + b'"')


def _nodeless(text: bytes) -> bytes:
    at = text.find(_NODE) + len(_NODE)
    end = text.find(b'"', at)
    if at < len(_NODE) or _NODE_NAME.fullmatch(text, at, end) is None:
        return text
    return text[:at] + _HOLE + text[end:]


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
    """Answers to requests; those of a template are decided on until one is the second of its kind, from then on told again.

    Bounded: what was not asked for while ``ROOM`` bytes of others were is forgotten.
    """

    def __init__(self, store: Store) -> None:
        self.repeated = 0
        """Requests that were answered as another was before."""
        self._store = store
        self._seen: set[int] = set()
        self._young: dict[bytes, _Known] = {}
        self._old: dict[bytes, _Known] = {}
        self._bytes = 0

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        kept = [*self._young.items(), *self._old.items()]
        return sum(len(key) + len(item.before) + len(item.after) + OVERHEAD for key, item in kept)

    def answer(self, body: bytes) -> Answer:
        """As :func:`llmobs.webhook.review.answer`. Never raises."""
        asked = template(body)
        if asked is None:
            return answer(body, self._store)
        known = self._young.get(asked.key) or self._again(asked.key)
        if known is not None and self._holds(known):
            self.repeated += 1
            return Answer(known.before + asked.uid + known.after, known.reason, uid=asked.uid.decode(), namespace=known.counted)
        made = answer(body, self._store)
        if known is not None or self._second(asked.key):
            self._keep(asked, made)
        return made

    def _again(self, key: bytes) -> _Known | None:
        known = self._old.pop(key, None)
        if known is not None:
            self._put(key, known)
        return known

    def _holds(self, known: _Known) -> bool:
        try:
            return known.place() is self._store.namespace(known.name)
        except Exception:  # noqa: BLE001 - whoever decides anew meets it too, and says so
            return False

    def _second(self, key: bytes) -> bool:
        mark = hash(key)
        if mark in self._seen:
            return True
        if len(self._seen) >= SEEN:
            self._seen.clear()
        self._seen.add(mark)
        return False

    def _keep(self, asked: Template, made: Answer) -> None:
        place = made.place
        # What depends on the size of the very request, or is logged each time, is no answer to others.
        if place is None or made.reason in (Reason.TOO_LARGE, Reason.UNREADABLE) or len(made.body) > LARGEST:
            return
        before, _, after = made.body.partition(asked.uid)
        known = _Known(before, after, made.reason, made.namespace, place.name, weakref.ref(place))
        if self._holds(known) and indifferent(asked, made.request):
            self._put(asked.key, known)

    def _put(self, key: bytes, known: _Known) -> None:
        self._young[key] = known
        self._bytes += len(key) + len(known.before) + len(known.after) + OVERHEAD
        if self._bytes > ROOM:
            self._old, self._young, self._bytes = self._young, {}, 0


def indifferent(asked: Template, request: Request | None) -> bool:
    """Whether what differs among the pods of a template is nothing that is read, except for the uid and the name of one volume.

    A volume's name is only ever compared with ours. The request is read once more with other words in those places.
    """
    if request is None or request.object is None:
        return False
    try:
        twin = read(_BEGIN + _BLANK.encode() + b'"' + asked.key.replace(_HOLE, _BLANK.encode())).request
    except NO_REVIEW:
        return False
    if twin is None or twin.object is None or twin.uid != _BLANK:
        return False
    twin.uid = asked.uid.decode()
    _rename(twin.object, asked.volume.decode())
    return twin == request


def _rename(pod: Pod, name: str) -> None:
    spec = pod.spec
    if spec is None:
        return
    containers: Iterable[Container] = [*(spec.containers or ()), *(spec.init_containers or ())]
    mounts = [mount for container in containers for mount in container.volume_mounts or ()]
    for item in (*(spec.volumes or ()), *mounts):
        if item.name == _BLANK:
            item.name = name
