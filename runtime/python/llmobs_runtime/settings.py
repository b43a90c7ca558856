"""What the environment says about our pipeline: the injector's LLMOBS_* variables, and the user's OTEL_* ones above them.

Of the user's variables those count that describe spans: identity, limits, batching, content, what is switched off. Where
the application's own OpenTelemetry sends (endpoint, headers, protocol, certificate) is not our business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from llmobs_runtime.reasons import Reason, RefusedError

EXIT_SECONDS = 1.2
"""How long the end of a process waits at most for its last spans to be sent.

Users are told two seconds; the rest is for encoding, and for a machine that is busy when many pods end together.
"""

SHORTEST_SECONDS, LONGEST_SECONDS = 0.001, 86400.0
"""Bounds of every duration: what waits refuses longer ones, and would then be asked again and again."""

TIMEOUT_SECONDS = 2.0
DELAY_SECONDS = 1.0
QUEUE_SPANS = 2048
BATCH_SPANS = 512
BAGGAGE = ("user.id", "session.id", "enduser.id")
"""Keys of W3C baggage that say whom a call is for; the gateway drops, hashes or keeps them as the policy says."""

# Ours only go up to the gateway, which applies Hash and Masked; so both mean: send.
_CONTENT_SENT = frozenset({"Full", "Masked", "Hash"})
_USER_ALLOWS_CONTENT = frozenset({"", "true", "span_only", "span_and_event"})


@dataclass(frozen=True)
class Settings:
    """The pipeline of this process; durations in seconds, sizes in spans."""

    url: str
    resource: Mapping[str, str]
    content: bool
    fixed_instance: bool = False
    timeout: float = TIMEOUT_SECONDS
    delay: float = DELAY_SECONDS
    queue: int = QUEUE_SPANS
    batch: int = BATCH_SPANS
    off: frozenset[str] = frozenset()
    baggage: Sequence[str] = BAGGAGE


def settings(environ: Mapping[str, str]) -> Settings:
    """Read the environment; raise RefusedError where it switches us off or names no usable endpoint."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        raise RefusedError(Reason.DISABLED, "OTEL_SDK_DISABLED is true")
    queue = max(1, int(_number(environ, ["OTEL_BSP_MAX_QUEUE_SIZE"], QUEUE_SPANS)))
    return Settings(
        url=_url(environ.get("LLMOBS_ENDPOINT", "")),
        resource=_resource(environ),
        content=_content(environ),
        fixed_instance="service.instance.id" in _pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")),
        timeout=_timeout(environ),
        delay=_bounded(_number(environ, ["OTEL_BSP_SCHEDULE_DELAY"], DELAY_SECONDS * 1000) / 1000),
        queue=queue,
        batch=max(1, min(queue, int(_number(environ, ["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"], BATCH_SPANS)))),
        off=frozenset(_words(environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", ""))),
        baggage=tuple(_words(environ["LLMOBS_BAGGAGE"])) if "LLMOBS_BAGGAGE" in environ else BAGGAGE,
    )


def _url(endpoint: str) -> str:
    try:
        parts = urlsplit(endpoint.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise RefusedError(Reason.INVALID_ENDPOINT, f"LLMOBS_ENDPOINT {endpoint!r} is no http or https URL")
    return endpoint.strip().rstrip("/") + "/v1/traces"


def _resource(environ: Mapping[str, str]) -> dict[str, str]:
    merged = _pairs(environ.get("LLMOBS_RESOURCE_ATTRIBUTES", ""))
    merged.update(_pairs(environ.get("OTEL_RESOURCE_ATTRIBUTES", "")))
    name = environ.get("OTEL_SERVICE_NAME", "").strip()
    if name:
        merged["service.name"] = name
    return merged


def _content(environ: Mapping[str, str]) -> bool:
    allowed = environ.get("LLMOBS_CONTENT", "").strip() in _CONTENT_SENT
    wanted = environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "").strip().lower()
    return allowed and wanted in _USER_ALLOWS_CONTENT


def _timeout(environ: Mapping[str, str]) -> float:
    # OpenTelemetry for Python reads seconds here, and milliseconds there.
    whole = _number(environ, ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"], TIMEOUT_SECONDS)
    return _bounded(min(whole, _number(environ, ["OTEL_BSP_EXPORT_TIMEOUT"], whole * 1000) / 1000))


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)


def _number(environ: Mapping[str, str], names: Sequence[str], default: float) -> float:
    """The first of these variables that holds a usable number above zero."""
    for name in names:
        try:
            value = float(environ.get(name, ""))
        except ValueError:
            continue
        if 0 < value < float("inf"):
            return value
    return default


def _pairs(text: str) -> dict[str, str]:
    split = (pair.partition("=") for pair in text.split(","))
    return {unquote(key.strip()): unquote(value.strip()) for key, equals, value in split if equals and key.strip()}


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
