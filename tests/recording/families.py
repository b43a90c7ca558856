"""The families of instrumentations: how each is switched on, and which client libraries it covers."""

import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """One set of instrumentations of the same origin."""

    install: Callable[[], None]
    cases: tuple[str, ...]
    """Groups of calls in ``calls``."""


EVERY = ("openai", "anthropic", "gemini", "bedrock", "langchain", "agents")


def _official() -> None:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"
    _load("openai", "anthropic", "google-genai", "bedrock", "langchain", "openai_agents")


def _frameworks() -> None:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_ONLY"
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    _load("openai", "agno", "dspy", "portkey", "qwen-agent", "smolagents")


def _generation_a() -> None:
    os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
    _load("openai")


def _openllmetry() -> None:
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"
    _load("openai", "anthropic", "google_generativeai", "boto3", "langchain", "openai_agents")


def _openinference() -> None:
    os.environ["ANTHROPIC_OPEN_TELEMETRY"] = "false"
    _load("openai", "anthropic", "google_genai", "bedrock", "langchain", "openai_agents")


def _native() -> None:
    os.environ["ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"] = "content"


def _load(*names: str) -> None:
    """Switch on by entry point, as automatic instrumentation does; a name that nothing offers is a mistake here."""
    from importlib.metadata import entry_points

    offered = {point.name: point for point in entry_points(group="opentelemetry_instrumentor")}
    for name in names:
        offered[name].load()().instrument()


FAMILIES = {
    "official": Family(_official, EVERY),
    "frameworks": Family(_frameworks, ("frameworks",)),
    "generation-a": Family(_generation_a, ("openai",)),
    "openllmetry": Family(_openllmetry, EVERY),
    "openinference": Family(_openinference, EVERY),
    "native": Family(_native, ("anthropic",)),
}
