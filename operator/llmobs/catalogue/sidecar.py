"""The collector inside an instrumented pod: its name, where it listens, and the configuration that it can always start with.

It takes spans from the loopback, makes of prompts and answers what the policy says, and passes the rest on to the gateway, which
trusts it no more than any other client. What the policy says is laid over :func:`built_in` from a ConfigMap that may be absent:
then names that are known to hold no text are all that passes, so that calls are counted and nothing leaks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from llmobs.catalogue import generations as names
from llmobs.catalogue import metadata
from llmobs.catalogue.metrics import RESOURCE_LABELS

BINARY = "/otelcol-contrib"
"""The collector in the official image and in ours."""

CONTAINER = "llmobs-collector"

VARIABLE = "LLMOBS_SIDECAR"
"""The container's variable that holds the policy's part of the configuration, from the ConfigMap; it tells our container from others."""

FILE = "config.yaml"
"""The key of the ConfigMap."""

OTLP_PORT = 24318
"""Not OTLP's own: an application may bring a collector of its own, and two can't listen on one port."""
HEALTH_PORT = 24133
PORTS = frozenset({OTLP_PORT, HEALTH_PORT})

ENDPOINT = f"http://127.0.0.1:{OTLP_PORT}"

PRIVACY = "transform/privacy"
"""The one processor that the ConfigMap replaces."""

REQUEST = 900_000
"""Bytes of spans in a request to the gateway, whose bound is 1 MiB or more."""

LARGEST = 131_000
"""Bytes of a variable that Linux takes."""

_LIMITER, _GATEWAY = "memory_limiter", "otlp_http/gateway"


def built_in(gateway: str, mebibytes: int) -> str:
    """What the collector starts with, as an argument: ``gateway`` is a base URL, ``mebibytes`` what it may take of memory.

    Without a dollar sign: the kubelet and the collector would both look for a reference behind it.
    """
    made = {
        "extensions": {"health_check": {"endpoint": f":{HEALTH_PORT}"}},
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{OTLP_PORT}"}}}},
        "processors": {
            _LIMITER: {"check_interval": "1s", "limit_mib": mebibytes * 8 // 10, "spike_limit_mib": mebibytes * 2 // 10},
            PRIVACY: {"error_mode": "silent", "trace_statements": _nothing()},
        },
        "exporters": {_GATEWAY: _exporter(gateway, mebibytes)},
        "service": {
            "extensions": ["health_check"],
            # no port of its own for metrics: it might be the application's
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn", "encoding": "json"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "processors": [_LIMITER, PRIVACY], "exporters": [_GATEWAY]}},
        },
    }
    return f"yaml:{json.dumps(made, separators=(',', ':'))}"


def _exporter(gateway: str, mebibytes: int) -> Mapping[str, Any]:
    batch = {"flush_timeout": "200ms", "sizer": "bytes", "min_size": 1, "max_size": REQUEST}
    return {
        "endpoint": gateway,
        # long: what a busy gateway has taken and not yet answered would be sent, and counted, again; and shorter than a pod may take to end
        "timeout": "20s",
        # in bytes, because a span may hold a long prompt; in memory, because what outlives the container would outlive a Job
        "sending_queue": {"enabled": True, "sizer": "bytes", "queue_size": mebibytes * 2**20 // 4, "num_consumers": 2, "batch": batch},
        "retry_on_failure": {"enabled": True, "initial_interval": "1s", "max_interval": "10s", "max_elapsed_time": "300s"},
    }


def _nothing() -> list[Mapping[str, Any]]:
    """Only what is known by name to hold no text; coarser than the gateway, which also knows names that may hold some."""
    events = [*metadata.EVENT_METADATA, names.EVALUATION, names.SCORE]
    named = f'spanevent.name != "exception" and spanevent.name != {json.dumps(names.EVALUATED)}'
    statements = {
        "resource": [_keep("resource.attributes", ["service.name", "service.version", *RESOURCE_LABELS])],
        "scope": [_keep("scope.attributes", [])],
        "span": [_keep("span.attributes", metadata.known()), 'set(span.status.message, "")'],
        "spanevent": [_keep("spanevent.attributes", events), f'set(spanevent.name, "event") where {named}'],
    }
    return [{"context": context, "statements": found} for context, found in statements.items()]


def _keep(target: str, keys: Iterable[str]) -> str:
    return f"keep_keys({target}, {json.dumps(list(keys))})"
