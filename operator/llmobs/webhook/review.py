"""An AdmissionReview in, an AdmissionReview out: bytes to bytes, ``allowed: true`` whatever happens."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

import msgspec

from llmobs.api.names import OPERATOR
from llmobs.inject.decide import Decision, decide
from llmobs.inject.pod import Pod
from llmobs.inject.reasons import Reason
from llmobs.inject.select import Namespace
from llmobs.webhook.store import Store

LARGEST = 8 * 1024 * 1024
"""Bytes of a request that are read; the API server itself takes no object above 3 MiB."""


class _Kind(msgspec.Struct, gc=False):
    """What kind of object a request is about."""

    kind: str = ""


class Request(msgspec.Struct, rename="camel", gc=False):
    """The part of a request that matters; the namespace stands here, not reliably in the object."""

    uid: str = ""
    kind: _Kind | None = None
    operation: str = ""
    sub_resource: str | None = None
    namespace: str = ""
    object: Pod | None = None


class Review(msgspec.Struct, rename="camel", gc=False):
    """An AdmissionReview."""

    api_version: str = ""
    request: Request | None = None


class _Named(msgspec.Struct, gc=False):
    """A request of which only the uid is wanted."""

    uid: str = ""


class _Envelope(msgspec.Struct, rename="camel", gc=False):
    """A review whose object cannot be read as a pod."""

    api_version: str = ""
    request: _Named | None = None


class _Response(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """What is answered to a request. ``patch`` is sent in base64."""

    uid: str
    allowed: Literal[True]
    patch_type: str = ""
    patch: bytes = b""
    warnings: tuple[str, ...] = ()


class _Reviewed(msgspec.Struct, rename="camel", gc=False):
    """An AdmissionReview that goes back."""

    api_version: str
    kind: str
    response: _Response


_REVIEW = msgspec.json.Decoder(Review)
_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ENCODER = msgspec.json.Encoder()
NO_REVIEW = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What bytes raise that are no review; the second one where a text in it is no UTF-8."""
_UID = re.compile(rb'"uid"\s*:\s*"([-0-9A-Za-z]{1,128})"')
_VERSION = "admission.k8s.io/v1"
_VERSIONS = frozenset({_VERSION, f"{_VERSION}beta1"})


class Answer(NamedTuple):
    """The response, why, and what went wrong, if anything."""

    body: bytes
    reason: Reason
    error: Exception | None = None
    uid: str = ""
    namespace: str = ""
    """Where the pod is created; empty for a namespace without a policy."""
    request: Request | None = None
    """What was decided on; none where it was not read, or nothing was decided."""
    place: Namespace | None = None
    """What was known of the namespace then."""


def answer(body: bytes, store: Store) -> Answer:
    """The answer to a request. Never raises."""
    try:
        review = read(body)
    except NO_REVIEW as error:
        return unreadable(body, error)
    request = review.request or Request()
    counted = ""
    try:
        place = store.namespace(request.namespace)
        counted = place.name if place.policies else ""
        decision = _decision(request, place, size=len(body))
        sent = _response(review.api_version, request.uid, decision)
    except ValueError as error:
        return _failed(review.api_version, request.uid, Reason.UNREADABLE, error, counted)
    except Exception as error:  # noqa: BLE001 - whatever it is must not keep a pod from being created
        return _failed(review.api_version, request.uid, Reason.FAILED, error, counted)
    return Answer(sent, decision.reason, uid=request.uid, namespace=counted, request=request, place=place)


def read(body: bytes) -> Review:
    """A review as it is decided on. Raises one of ``NO_REVIEW``."""
    return _REVIEW.decode(body)


def unreadable(body: bytes, error: Exception) -> Answer:
    """The answer to what cannot be read, with the uid as far as it can be found: without it the API server takes no answer."""
    try:
        envelope = _ENVELOPE.decode(body)
        version, uid = envelope.api_version, (envelope.request or _Named()).uid
    except NO_REVIEW:
        found = _UID.search(body)
        version, uid = "", found[1].decode() if found else ""
    return _failed(version, uid, Reason.UNREADABLE, error)


def _decision(request: Request, place: Namespace, *, size: int) -> Decision:
    created = request.operation in ("CREATE", "") and not request.sub_resource
    if not created or (request.kind is not None and request.kind.kind != "Pod"):
        return Decision(Reason.NOT_A_POD)
    if request.object is None:
        return Decision(Reason.UNREADABLE)
    return decide(request.object, place, size=size)


def _failed(version: str, uid: str, reason: Reason, error: Exception, namespace: str = "") -> Answer:
    return Answer(_response(version, uid, Decision(reason)), reason, error, uid, namespace)


def _response(version: str, uid: str, decision: Decision) -> bytes:
    response = _Response(uid, True)
    if decision.operations:
        response.patch_type, response.patch = "JSONPatch", decision.patch
    if decision.reason.decision == "failed":
        response.warnings = (f"{OPERATOR} left this pod alone: {decision.reason.value}: {decision.reason.sentence}",)
    return _ENCODER.encode(_Reviewed(version if version in _VERSIONS else _VERSION, "AdmissionReview", response))
