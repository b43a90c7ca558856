"""Every generation of conventions brought to the current names, from what the catalogue knows of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmobs.catalogue.generations import OPERATION, OUTPUT, PROVIDER, REASONING, Generation, Rename, generations
from llmobs.plan.collector.ottl import assign, group, literal, lookup, span, transform
from llmobs.prices.providers import SYNONYMS


def normalise() -> dict[str, Any]:
    """One group of statements for each generation, one for each operation of an instrumentation's own, then the provider's name."""
    apart = (_apart(*words) for item in generations() for words in item.thoughts_apart.items())
    return transform(*(_generation(item) for item in generations()), *apart, _provider())


def _generation(generation: Generation) -> dict[str, object]:
    marked = [f"{span(mark)} != nil" for mark in generation.marks]
    return group("span", [*_operations(generation), *(_rename(item) for item in generation.renames)], conditions=marked)


def _apart(word: str, operation: str) -> dict[str, object]:
    """An operation of one instrumentation's own takes the current name, and its output the reasoning tokens that stood beside it."""
    output = f"{span(OUTPUT)} + {span(REASONING)}"
    told = f"{span(OUTPUT)} != nil and {span(REASONING)} != nil"
    return group(
        "span",
        [assign(span(OUTPUT), output, told), assign(span(OPERATION), literal(operation))],
        conditions=[f"{span(OPERATION)} == {literal(word)}"],
    )


def _operations(generation: Generation) -> Iterator[str]:
    for attribute, words in generation.operations.items():
        for word, operation in words.items():
            yield assign(span(OPERATION), literal(operation), f"{span(OPERATION)} == nil", f"{span(attribute)} == {literal(word)}")


def _rename(rename: Rename) -> str:
    only = [f"{span(rename.when[0])} == {literal(rename.when[1])}"] if rename.when else []
    value = span(rename.old) if rename.scale == 1 else f"Double({span(rename.old)}) * {literal(rename.scale)}"
    # most spans lack the old name, and then nothing else is asked
    return assign(span(rename.new), value, f"{span(rename.old)} != nil", f"{span(rename.new)} == nil", *only)


def _provider() -> dict[str, object]:
    name = span(PROVIDER)
    return group(
        "span", [assign(name, f"ToLowerCase(String({name}))"), assign(name, lookup(SYNONYMS, name))], conditions=[f"{name} != nil"]
    )
