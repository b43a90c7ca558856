"""Whether the application's own packages and ours can work together, asked before any of ours is imported.

Ours stand last on the path, so what the application has is what gets used, and must be new enough.
"""

from __future__ import annotations

import re
from importlib import metadata

from llmobs_runtime.reasons import Reason, RefusedError

# Distribution -> oldest version that works, first major version that is not known to. Tests compare this with what the
# packages of the bundle require.
SUPPORTED: dict[str, tuple[tuple[int, int], int]] = {
    "opentelemetry-api": ((1, 43), 2),
    "opentelemetry-sdk": ((1, 43), 2),
    "opentelemetry-semantic-conventions": ((0, 64), 1),
    "opentelemetry-instrumentation": ((0, 64), 1),
    "opentelemetry-util-genai": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-openai": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-anthropic": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-bedrock": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-langchain": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-llama-index": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-openai-agents": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-agno": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-dspy": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-portkey": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-qwen-agent": ((1, 3), 2),
    "opentelemetry-instrumentation-genai-smolagents": ((1, 2), 2),
    "opentelemetry-instrumentation-google-genai": ((1, 3), 2),
    "wrapt": ((1, 17), 3),
    "typing-extensions": ((4, 5), 5),
    "packaging": ((18, 0), 1000),
}

WIDER = {"google.genai": ("google-genai >= 1.32.0, < 4",)}
"""Library -> the versions of it that are instrumented, where its instrumentation works with more of them than it says.

google-genai 3 changed its HTTP client and one type of the interactions, nothing that the instrumentation wraps or reads.
"""

OLDEST_HEARD = (1, 20)
"""Oldest version of the application's OpenTelemetry that we can listen to; older than this nobody has tried."""


def refusal() -> RefusedError | None:
    """Why our instrumentations cannot work with a package of the application: it is too old, or too new to be known to work.

    None where they can; raises it where we cannot even listen to the application's own OpenTelemetry.
    """
    for name, (oldest, beyond) in SUPPORTED.items():
        found = installed(name)
        if found is not None and not (oldest <= release(found) < (beyond, 0)):
            detail = f"the application has {name} {found}; needed is {oldest[0]}.{oldest[1]} or newer, below {beyond}"
            refused = RefusedError(Reason.OLD_OPENTELEMETRY, detail)
            if not _heard():
                raise refused
            return refused
    return None


def _heard() -> bool:
    versions = [installed(name) for name in ("opentelemetry-api", "opentelemetry-sdk")]
    return all(version is not None and OLDEST_HEARD <= release(version) < (2, 0) for version in versions)


def installed(name: str) -> str | None:
    """The version the application has of a distribution; None when it has none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def release(version: str) -> tuple[int, int]:
    """Major and minor of a version; (0, 0) when it has none, which no package here supports."""
    match = re.match(r"v?(\d+)(?:\.(\d+))?", version)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)
