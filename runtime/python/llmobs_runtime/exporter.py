"""Sends spans to the gateway as OTLP/HTTP JSON.

OpenTelemetry's exporters are not used: they read headers and certificates from the variables that belong to the
application, and would hand its credentials to our gateway; they also bring a HTTP client that takes as long to import as
the rest of the pipeline. http.client is there already: every LLM library needs it.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, takewhile
from urllib.parse import urlsplit

from llmobs_runtime import __version__, log
from llmobs_runtime.encode import encode, shortened
from llmobs_runtime.recorder import Finished
from llmobs_runtime.weight import LIGHT_BYTES, weight

_RETRYABLE = frozenset({429, 502, 503, 504})
_RESPONSE_BYTES = 65536

# The least bound on a request that a gateway of ours has is 1 MiB.
_REQUEST_BYTES = 1_000_000
# A span that is larger by itself loses the ends of its texts: its call is counted all the same.
_TEXT_CHARACTERS = (65536, 8192, 512)


@dataclass(frozen=True)
class Outcome:
    """What became of a batch; ``again`` when it certainly was not taken and may be offered once more.

    ``after`` is the least time in seconds until then, 0 when the gateway named none. ``count`` is how many of the spans were in the
    request, from the first one on; 0: all.
    """

    again: bool = False
    after: float = 0.0
    count: int = 0


DONE = Outcome()


class Exporter:
    """Posts batches to one URL, each over its own connection, so that they spread over the gateway's replicas."""

    def __init__(self, url: str, timeout: float) -> None:
        self._parts = urlsplit(url)
        self._timeout = timeout

    def send(self, spans: Sequence[Finished], deadline: float) -> Outcome:
        """Post one batch; a network operation takes at most the timeout and never begins after the deadline.

        The deadline is in seconds of time.monotonic(). Never raises.
        """
        try:
            body, count = _fitting(spans)
            return replace(self._post(body, deadline), count=count)
        except Exception as error:
            # Whether the gateway has it is unknown here; sent twice it would be paid for twice.
            log.failure(f"{len(spans)} spans lost", error)
            return DONE

    def _post(self, body: bytes, deadline: float) -> Outcome:
        connection = self._connection(min(self._timeout, deadline - time.monotonic()))
        try:
            try:
                connection.connect()
            except OSError as error:
                log.debug(f"no connection to {self._parts.netloc}: {error}")
                return Outcome(again=True)
            headers = {"Content-Type": "application/json", "User-Agent": f"llmobs-runtime/{__version__}"}
            connection.request("POST", self._parts.path, body, headers)
            return _outcome(connection.getresponse())
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(self._parts.hostname or "", self._parts.port, timeout=max(timeout, 0.001))


def _fitting(spans: Sequence[Finished]) -> tuple[bytes, int]:
    """A request with as many of the spans, from the first one on, as the gateway takes at once; and how many these are."""
    count = _tried(spans)
    body = encode(spans[:count])
    while len(body) > _REQUEST_BYTES and count > 1:
        count = max(1, min(count - 1, count * _REQUEST_BYTES // len(body)))
        body = encode(spans[:count])
    for longest in _TEXT_CHARACTERS:
        if len(body) > _REQUEST_BYTES:
            body = shortened(body, longest)
    return body, count


def _tried(spans: Sequence[Finished]) -> int:
    """How many to encode first: with prompts a batch may be a hundred times as large as a request."""
    # Without them a span takes a part of what it weighs.
    weights = accumulate(heavy if heavy > LIGHT_BYTES else heavy // 4 for heavy in map(weight, spans))
    return min(len(spans), 1 + sum(1 for _ in takewhile(lambda whole: whole < _REQUEST_BYTES, weights)))


def _outcome(response: http.client.HTTPResponse) -> Outcome:
    said = response.read(_RESPONSE_BYTES)
    if response.status in _RETRYABLE:
        return Outcome(again=True, after=_seconds(response.headers.get("Retry-After", "")))
    if response.status >= 300:
        log.info(f"the gateway refused spans: {response.status} {said[:200].decode(errors='replace')}")
    return DONE


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 60.0)
    except ValueError:
        return 0.0
