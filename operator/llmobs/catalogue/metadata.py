"""What may leave while prompts and answers may not: every name that is known to hold none, and how the others are told apart.

Names in the namespaces of LLM telemetry leave only if they are listed. Attributes outside these namespaces are an application's
own: they leave unless their name says that they hold text. Patterns are RE2's, and match anywhere unless they are anchored.
"""

from __future__ import annotations

from llmobs.catalogue import inputs, runs
from llmobs.catalogue.generations import generations, under
from llmobs.kit.words import any_case

OWN = "llmobs"
"""The namespace of what the gateway notes on a span, and of the run's summary that our runtime writes."""

IDENTITY = "k8s"
"""The namespace of who sent a span: only the resource, on which the gateway writes it, has it."""

FRAMEWORKS = (
    "agno",
    "braintrust",
    "crewai",
    r"gcp\.vertex\.agent",
    "haystack",
    "helicone",
    "langfuse",
    "langgraph",
    "langsmith",
    "litellm",
    "lmnr",
    "logfire",
    "mcp",
    "mlflow",
    "smolagents",
    "strands",
    "wandb",
    "weave",
)
"""Further namespaces of LLM frameworks."""

FRAMEWORK_METADATA = (
    *under("langfuse", "user.id session.id version release environment trace.name trace.tags trace.public"),
    *under("langfuse", "observation.type observation.level prompt.name prompt.version"),
    *under("mcp", "method.name session.id protocol.version"),
)

GENERAL = (
    *("error.type", "server.address", "server.port", "session.id", "user.id", "client.address", "client.port"),
    *("http.request.method", "http.response.status_code", "http.route", "http.request.resend_count", "url.scheme"),
    *under("network", "peer.address peer.port protocol.name protocol.version transport type"),
    *under("db", "system system.name operation.name collection.name namespace response.status_code"),
    *under("rpc", "system service method grpc.status_code"),
    *under("messaging", "system operation.type operation.name destination.name"),
    *("thread.id", "thread.name", "code.function.name", "code.line.number", "code.file.path"),
)
"""Names outside the namespaces of LLM telemetry that most spans carry: listed, because patterns are slow."""

USERS = (
    "session.id",
    "user.id",
    "enduser.id",
    "client.address",
    "langfuse.user.id",
    "langfuse.session.id",
    "gen_ai.user.id",
    "user.email",
    "user.name",
)
"""Names that identify a user or a session; they are in the namespaces of no framework, or known."""

EVENT_METADATA = ("exception.type", "exception.escaped")

TEXT = tuple(
    word
    for line in (
        "all_messages_events answer answers arg args arguments body completion completions content contents context document documents",
        "event events header headers history input inputs instruction instructions kwargs message messages metadata output outputs",
        "parameters params payload prompt prompts question query reasoning request request_data response response_data result results",
        "stack stacktrace statement summary template text thought thoughts tool_calls transcript value values",
    )
    for word in line.split()
)
"""Last words of attribute names that say: text of the application."""

ADDRESSES = r"^(http\.(target|url)|process\.command(_args|_line)?|url\.(full|query))$"
"""Where a question may stand in an address or on a command line."""

SECRET_WORDS = ("headers", "authorization", "api_key", "api-key", "apikey", "secret", "password", "cookie")

SECRETS = rf"(?:^|[._-]){any_case(SECRET_WORDS)}(?:[._-]|$)"
"""Never let out, however much may be captured: an instrumentation is known to write request headers."""

NO_NAMES = r"[^!-~]|^.{129}"
"""Names of attributes that are none: with spaces or characters beyond ASCII, or longer than 128 bytes, they are somebody's words."""

NAMES = {"span": r"^[^\x00-\x1f\x7f?!@\"\\]{0,100}$", "spanevent": r"^[A-Za-z0-9_./-]{1,64}$"}
"""What the names of spans and events look like: an operation and what it is done with, and one word. Others may be sentences."""

RESERVED = r"^(k8s|llm\.(cost|model|run|tokens?)|llmobs)(\.|$)"
"""Span attributes that only the gateway writes, those that nobody reads, and what a receiver could take for the resource's identity."""


INPUTS = (
    *(inputs.CHECK, inputs.CHECKED, inputs.FEEDBACK, inputs.RESULTS),
    *(runs.STEPS, runs.TOOL_CALLS, runs.LOOP_TOOL, runs.LOOP_COUNT, runs.MODELS, *runs.TOKENS),
)
"""Names of ours that an application may write; they end at the gateway."""


def known() -> tuple[str, ...]:
    """The names of span attributes that hold no text of the application, sorted."""
    listed = {name for item in generations() for name in item.known}
    return tuple(sorted({*listed, *FRAMEWORK_METADATA, *GENERAL, *INPUTS}))


def namespaces() -> tuple[str, ...]:
    """The first words of names, as patterns, of which only the known ones leave; sorted, because then Go matches them in one pass."""
    return tuple(sorted({*(name for item in generations() for name in item.namespaces), *FRAMEWORKS, OWN, IDENTITY}))
