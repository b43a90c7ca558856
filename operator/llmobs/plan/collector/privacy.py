"""What leaves the gateway when prompts and answers must not: known metadata, and nothing else in the namespaces of LLM telemetry.

Attributes outside these namespaces are an application's own: they leave unless their name says that they hold text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmobs.catalogue.generations import generations
from llmobs.plan.collector.ottl import assign, at, drop, group, literal, matches, resource, transform
from llmobs.plan.collector.policies import CAPTURE

OWN = (r"llmobs\..+", r"llm\.(model|cost\.(usd|priced))")
"""What the gateway wrote itself."""

FOREIGN = (
    "ai|agno|braintrust|crewai|gcp\\.vertex\\.agent|haystack|helicone|langfuse|langgraph|langsmith|litellm|lmnr|logfire|mcp|mlflow|"
    "pydantic_ai|smolagents|strands|wandb|weave"
)
"""Further namespaces of LLM frameworks."""

FOREIGN_METADATA = (
    r"ai\.(operationId|model\.(id|provider)|toolCall\.(name|id)|response\.(id|model|finishReason)|usage\.[A-Za-z]+)",
    r"langfuse\.(user\.id|session\.id|version|release|environment|trace\.(name|tags|public)|observation\.(type|level)|prompt\.(name|version))",
    r"mcp\.(method\.name|session\.id|protocol\.version)",
)

TEXT = (
    "all_messages_events|answers?|args|arguments|body|completions?|contents?|context|documents?|events|headers?|history|inputs?|instructions?|"
    "kwargs|messages?|metadata|outputs?|parameters|params|payload|prompts?|question|query|reasoning|request|request_data|response|"
    "response_data|results?|stack|stacktrace|statement|summary|template|text|thoughts?|tool_calls|transcript|values?"
)
"""Last words of attribute names that say: text of the application."""

ADDRESSES = r"url\.(full|query)|http\.(url|target)|process\.command(_line|_args)?"
"""Where a question may stand in an address or on a command line."""

SECRETS = r"(?i)(^|[._-])(headers|authorization|api[_-]?key|secret|password|cookie)([._-]|$)"
"""Never let out, however much may be captured: an instrumentation is known to write request headers."""

EVENTS = (r"exception\.(type|escaped)",)

REMOVED = "[removed]"


def privacy() -> dict[str, Any]:
    """The processor. A resource without a word on capture counts as None; a statement that fails leaves less, not more."""
    none = f'{resource(CAPTURE)} != "Full"'
    return transform(
        group("resource", [drop("resource.attributes", f"^({ADDRESSES})$")], conditions=[none]),
        group("span", [drop("span.attributes", SECRETS)]),
        group("spanevent", [drop("spanevent.attributes", SECRETS)]),
        group("scope", [drop("scope.attributes", ".*")], conditions=[none]),
        group("span", _span(), conditions=[none]),
        group("spanevent", _event(), conditions=[none]),
    )


def known(*more: str) -> str:
    """The names of attributes that hold no text of the application."""
    listed = [name for item in generations() for name in item.metadata]
    return _whole([*listed, *more])


def namespaces() -> str:
    """The names of attributes of which only the known ones leave."""
    own = sorted({name for item in generations() for name in item.namespaces})
    return rf"^({'|'.join(own)}|{FOREIGN})(\.|$)"


def text() -> str:
    """The names of attributes that hold text by their last word."""
    return rf"^({ADDRESSES})$|(?i)(^|[._-])({TEXT})$"


def _span() -> list[str]:
    keep = at("span.cache", "keep")
    return [
        assign(keep, "span.attributes"),
        f"keep_matching_keys({keep}, {literal(known(*OWN, *FOREIGN_METADATA))})",
        drop("span.attributes", namespaces()),
        drop("span.attributes", text()),
        f'merge_maps(span.attributes, {keep}, "upsert")',
        assign("span.status.message", literal(REMOVED), 'span.status.message != ""'),
    ]


def _event() -> list[str]:
    prose = f"not {matches('spanevent.name', r'^[A-Za-z0-9_./-]{1,64}$')}"
    return [
        f"keep_matching_keys(spanevent.attributes, {literal(known(*EVENTS))})",
        assign("spanevent.name", literal(REMOVED), prose),
    ]


def _whole(names: Iterable[str]) -> str:
    return f"^({'|'.join(names)})$"
