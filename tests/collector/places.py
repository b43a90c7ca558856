"""The register of places where prompts, answers and credentials hide in telemetry: one entry each, all of them tested at the exit.

A new instrumentation that writes content somewhere else gets a line here; the tests send every place its own marker at every level of
capture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Where(Enum):
    """The part of a span."""

    ATTRIBUTE = "attribute"
    EVENT = "event"
    """The attribute of an event, as ``event attribute``."""
    EVENT_NAME = "event name"
    SPAN_NAME = "span name"
    KEY = "name of an attribute"
    STATUS = "status message"
    SCOPE = "scope attribute"
    RESOURCE = "resource attribute"


@dataclass(frozen=True)
class Place:
    """One place."""

    where: Where
    name: str
    secret: bool = False
    """Holds credentials, which leave at no level."""
    dropped: bool = False
    """Left out even where texts are masked: it cannot be masked for each trace, or is no text of a conversation."""

    def __str__(self) -> str:
        return f"{self.where.value}: {self.name}"


_ATTRIBUTES = tuple(
    word
    for line in """
gen_ai.input.messages gen_ai.output.messages gen_ai.system_instructions gen_ai.tool.definitions
gen_ai.tool.call.arguments gen_ai.tool.call.result gen_ai.tool.description gen_ai.agent.description
gen_ai.retrieval.documents gen_ai.retrieval.query.text gen_ai.evaluation.explanation gen_ai.memory.content
gen_ai.request.stop_sequences gen_ai.something.nobody.knows gen_ai.prompt gen_ai.completion
gen_ai.prompt.0.content gen_ai.prompt.0.tool_calls.0.arguments gen_ai.completion.0.content
gen_ai.completion.0.tool_calls.0.name llm.prompts llm.prompts.0.content llm.completions
llm.request.functions.0.description llm.request.functions.0.parameters traceloop.entity.input
traceloop.entity.output traceloop.association.properties.user_question traceloop.prompt.template
llm.input_messages.0.message.content llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments
llm.prompt_template.template llm.prompt_template.variables llm.function_call llm.invocation_parameters
llm.tools.0.tool.json_schema input.value output.value message.content document.content
retrieval.documents.0.document.content reranker.input_documents.0.document.content reranker.query
reranker.output_documents.0.document.content embedding.text embedding.embeddings.0.embedding.text
tool.parameters tool.description ai.prompt ai.prompt.messages ai.response.text ai.response.object
ai.toolCall.args ai.toolCall.result ai.values langfuse.observation.input langfuse.trace.output
langsmith.metadata.question mlflow.spanInputs mlflow.spanOutputs pydantic_ai.all_messages all_messages_events
logfire.msg gcp.vertex.agent.llm_request gcp.vertex.agent.llm_response crewai.task.description
mcp.request.argument.question tool_arguments tool_response exception.message exception.stacktrace
error.message db.statement db.query.text http.request.body http.url url.full url.query
http.response.body.content rpc.request.body input output prompt completion question answer messages metadata
event.content graphql.document process.command_line process.command_args
""".strip().splitlines()
    for word in line.split()
)

_EVENTS = {
    "gen_ai.user.message": ("content", "gen_ai.prompt"),
    "gen_ai.assistant.message": ("content", "tool_calls"),
    "gen_ai.choice": ("message", "gen_ai.completion"),
    "gen_ai.client.inference.operation.details": ("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions"),
    "gen_ai.content.prompt": ("gen_ai.prompt",),
    "gen_ai.evaluation.result": ("gen_ai.evaluation.explanation",),
    "llm.content.completion.chunk": ("whatever",),
    "exception": ("exception.message", "exception.stacktrace"),
    "db.query.result": ("db.query.result.document",),
}

_SECRETS = ("gen_ai.headers", "llm.headers", "http.request.header.authorization", "api_key", "x-api-key", "db.password", "http.cookie")


def places() -> Iterator[Place]:
    """Every place."""
    yield from (Place(Where.ATTRIBUTE, name) for name in _ATTRIBUTES)
    yield from (Place(Where.ATTRIBUTE, name, secret=True) for name in _SECRETS)
    yield from (Place(Where.EVENT, f"{event} {name}") for event, names in _EVENTS.items() for name in names)
    yield Place(Where.EVENT, "gen_ai.user.message authorization", secret=True)
    yield Place(Where.EVENT_NAME, "a sentence", dropped=True)
    yield Place(Where.SPAN_NAME, "a sentence", dropped=True)
    for name in ("", "gen_ai.prompt.", "my.own."):
        yield Place(Where.KEY, f"{name}a sentence", dropped=True)
    yield Place(Where.STATUS, "of a failed call")
    yield Place(Where.SCOPE, "note", dropped=True)
    for name in ("process.command_line", "process.command_args", "url.full"):
        yield Place(Where.RESOURCE, name, dropped=True)


def planted(place: Place, text: str, shape: int) -> Mapping[str, Any]:
    """The parts of a request that hold the text there: ``attributes``, ``events``, ``error``, ``scope``, ``resource``.

    ``shape`` 0 to 3: as text, in a list, in a map, in a map inside a list.
    """
    held = (text, [text], {"text": text}, [{"role": "user", "parts": [{"text": text}]}])[shape % 4]
    if place.where is Where.EVENT:
        event, name = place.name.split()
        return {"events": [(event, {name: held})]}
    return {
        Where.ATTRIBUTE: {"attributes": {place.name: held}},
        Where.EVENT_NAME: {"events": [(f"said: {text}", {})]},
        Where.SPAN_NAME: {"name": text},
        Where.KEY: {"attributes": {place.name.replace("a sentence", text): 1}},
        Where.STATUS: {"error": f"refused: {text}"},
        Where.SCOPE: {"scope": {place.name: text}},
        Where.RESOURCE: {"resource": {place.name: held}},
    }[place.where]
