"""What spans that are no billed calls tell: tools, retrievals, evaluations, checks and feedback, noted as attributes for the series.

An attribute that a series needs is written only where the series counts: the connector skips a span without it before anything else.
"""

from __future__ import annotations

from typing import Any

from llmobs.catalogue import generations as names
from llmobs.catalogue import inputs
from llmobs.catalogue.generations import openinference
from llmobs.plan.collector.identity import shortened
from llmobs.plan.collector.ottl import assign, at, group, literal, span, transform
from llmobs.plan.collector.price import label

SCORES = 4
"""Evaluations of one span that count; the conventions ask for an event for each, and a span may carry several."""

TOOK = "llmobs.retrieval"
"""Marks a retrieval."""
RESULTS = "llmobs.results"
"""Documents that a retrieval found."""

CHECKED = "llmobs.checked"
"""How a check ended; apart from the outcome of the call that it checks."""

MOST_SCORE = 1000.0
MOST_RESULTS = 1_000_000.0

NAMELESS = "unknown"


def scored(slot: int) -> tuple[str, str]:
    """The span attributes that hold an evaluation's name and score."""
    return f"llmobs.score.{slot}.name", f"llmobs.score.{slot}.value"


def observe() -> dict[str, Any]:
    """The processor; behind the one that normalises names. Content is gone by then: :func:`documents` counts before."""
    operation = span(names.OPERATION)
    event = f"spanevent.name == {literal(names.EVALUATED)}"
    return transform(
        # the server's side of a tool call is the same call as the client's
        group("span", _tool(), conditions=[f'{operation} == "execute_tool" and span.kind != SPAN_KIND_SERVER']),
        group("span", _retrieval(), conditions=[f'{operation} == "retrieval"']),
        group("span", _evaluation(), conditions=[f"{span(names.EVALUATION)} != nil"]),
        group("spanevent", _events(), conditions=[event]),
        group("span", _validation(), conditions=[f"{span(inputs.CHECK)} != nil"]),
        group("span", named("kind", inputs.FEEDBACK), conditions=[f"{span(inputs.FEEDBACK)} != nil"]),
    )


def named(name: str, attribute: str) -> list[str]:
    """The label ``name`` from what a client wrote: a text of bounded length, never none."""
    target = span(label(name))
    return [
        assign(target, literal(NAMELESS)),
        assign(target, f"String({span(attribute)})", f"{span(attribute)} != nil"),
        *shortened(target),
    ]


def outcome() -> list[str]:
    """The label ``outcome`` from the span's status."""
    target = span(label("outcome"))
    failed = f"(span.status.code == STATUS_CODE_ERROR or {span('error.type')} != nil)"
    return [assign(target, '"ok"'), assign(target, '"error"', failed)]


def agent() -> list[str]:
    """The label ``agent``; empty where no agent is named."""
    target = span(label("agent"))
    return [assign(target, '""'), assign(target, f"String({span(names.AGENT)})", f"{span(names.AGENT)} != nil"), *shortened(target)]


def _tool() -> list[str]:
    return [*named("tool", names.TOOL), *agent(), *outcome()]


def documents() -> dict[str, object]:
    """Counts found documents before they are left out: a list, a list as JSON, or one attribute for each; a count wins over all of them.

    It is noted under the name by which an application says it.
    """
    found, given, flat, noted = at("span.cache", "n"), span(names.DOCUMENTS), at("span.cache", "f"), span(inputs.RESULTS)
    statements = [
        assign(flat, "span.attributes"),
        f'keep_matching_keys({flat}, "^retrieval\\\\.documents\\\\.[0-9]+\\\\.document\\\\.content$")',
        assign(found, f"Double(Len({flat}))", f"Len({flat}) > 0"),
        assign(found, f"Double(Len({given}))", f"IsList({given})"),
        assign(found, f"Double(Len(ParseJSON({given})))", f"IsString({given})"),
        assign(noted, found, f"{noted} == nil", f"{found} != nil"),
    ]
    retrieves = [f'{span(names.OPERATION)} == "retrieval"', f'{span(openinference.KIND)} == "RETRIEVER"']
    return group("span", statements, conditions=[f"{given} != nil", *retrieves])


def _retrieval() -> list[str]:
    found = at("span.cache", "n")
    sane = f"{found} >= 0.0 and {found} <= {literal(MOST_RESULTS)}"
    return [
        assign(span(TOOK), "true"),
        *outcome(),
        assign(found, f"Double({span(inputs.RESULTS)})", f"{span(inputs.RESULTS)} != nil"),
        assign(span(RESULTS), found, sane),
    ]


def _evaluation() -> list[str]:
    """An evaluation that is a span of its own, or attributes of the span that it judges."""
    found, (name, value) = at("span.cache", "v"), (span(key) for key in scored(0))
    sane = f"{found} >= 0.0 and {found} <= {literal(MOST_SCORE)}"
    return [
        assign(found, f"Double({span(names.SCORE)})"),
        assign(name, f"String({span(names.EVALUATION)})", sane),
        *shortened(name),
        assign(value, found, sane),
    ]


def _events() -> list[str]:
    """Events fill the slots from the first to the last: the last free one behind a taken one is looked at first."""
    found = at("spanevent.attributes", names.SCORE)
    statements: list[str] = []
    for slot in reversed(range(SCORES)):
        name, value = (span(key) for key in scored(slot))
        taken = [f"{span(scored(slot - 1)[1])} != nil"] if slot else []
        free = (f"{value} == nil", *taken)
        statements += [
            assign(name, f"String({at('spanevent.attributes', names.EVALUATION)})", *free),
            *shortened(name),
            assign(value, f"Double({found})", *free, f"Double({found}) >= 0.0 and Double({found}) <= {literal(MOST_SCORE)}"),
        ]
    return statements


def _validation() -> list[str]:
    target = span(CHECKED)
    return [
        *named("check", inputs.CHECK),
        assign(target, '"failed"'),
        assign(target, '"passed"', f'{span(inputs.CHECKED)} == "passed"'),
    ]
