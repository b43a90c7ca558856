"""Runs of agents without our runtime, rolled up from the spans that one pod of the gateway sees: opt-in, for any language.

A branch behind the counting holds the spans of a trace and a service for :data:`WAIT`, finds the outermost agent above each call by
doubling the way up in every pass, and adds the calls up. What it cannot see as a whole it does not tell: a run counts only if everything
above it is there up to where the service was entered, and took no longer than :data:`LONGEST`. Only runs go on, never the calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmobs.catalogue import generations as names
from llmobs.plan.collector import components as c
from llmobs.plan.collector import doubles, price, runs
from llmobs.plan.collector.identity import WHO
from llmobs.plan.collector.observe import agent, outcome
from llmobs.plan.collector.ottl import assign, at, group, keep, literal, resource, span, transform
from llmobs.plan.collector.policies import ROLLED
from llmobs.plan.collector.price import label

WAIT = 300
"""Seconds that the spans of a trace are held, from the first one that comes."""
LONGEST = 285
"""Seconds from where a service was entered to its end beyond which its runs are not told: the last span takes a while to come."""
TRACES = 10_000
"""Traces that a pod holds; of more, the oldest are given up."""
MOST = 2_000
"""Spans of a trace and a service; in larger ones nothing above the further spans is found."""
PASSES = 6
"""Each doubles the way up: spans 64 below the outermost agent still find it."""

NOTES = "llmobs.rollup"
"""The resource attribute with the notes: ``e`` spans, ``n`` how many, ``s`` steps, ``m`` money, ``b`` runs of unknown money, ``d`` whether
the runtime told of its runs itself."""

AGENT = "invoke_agent"
NOBODY = "0" * 16
"""How the parent of a span without one is written."""

IN, OUT = f"{c.FORWARD}/rollup", f"{c.FORWARD}/observed"
ASKED, REDUCE, RUNS_ONLY = f"{c.FILTER}/rollup", f"{c.TRANSFORM}/rollup.reduce", f"{c.FILTER}/rollup.runs"
BY_TRACE, MERGE, ROLL_UP = "groupbytrace/rollup", "groupbyattrs/rollup", f"{c.TRANSFORM}/rollup"
ORDER = f"{c.BATCH}/observed"


def processors() -> dict[str, Any]:
    """The processors by their names in the configuration."""
    return {
        ASKED: {
            "error_mode": "silent",
            "trace_conditions": [
                {"context": "resource", "conditions": [f"{resource(ROLLED)} == nil"]},
                {"context": "spanevent", "conditions": ["IsString(spanevent.name)"]},
            ],
        },
        REDUCE: _reduce(),
        BY_TRACE: {"wait_duration": f"{WAIT}s", "num_traces": TRACES, "num_workers": 1},
        MERGE: {},
        ROLL_UP: _roll_up(),
        RUNS_ONLY: {"error_mode": "silent", "trace_conditions": [{"context": "span", "conditions": [f"{span(runs.RUN)} == nil"]}]},
        # what adds up drops what comes out of order, so both ways to a run's series become one
        ORDER: {"timeout": "200ms", "send_batch_size": 512},
    }


def connectors() -> dict[str, Any]:
    """The connectors by their names in the configuration."""
    return {IN: {}, OUT: {}}


def pipelines(counter: str) -> dict[str, Any]:
    """The pipelines; ``counter`` is the connector that counts runs, of which nothing else may be an exporter."""
    return {
        "traces/rollup": {"receivers": [IN], "processors": [ASKED, REDUCE, BY_TRACE, MERGE, ROLL_UP, RUNS_ONLY], "exporters": [OUT]},
        "traces/observed": {"receivers": [OUT], "processors": [ORDER], "exporters": [counter]},
    }


def _reduce() -> dict[str, Any]:
    """What is held is small, and a trace is one for each service: what others do neither begins nor ends its time."""
    kept = [names.OPERATION, names.AGENT, "error.type", price.PRICED, price.COST, label("outcome"), runs.RUN]
    own = f'Substring(SHA256(Concat([span.trace_id.string, {resource(WHO)}], "|")), 0, 32)'
    return transform(
        group("span", [keep("span.attributes", kept), f"set(span.trace_id.string, {own})"]),
        group("resource", [keep("resource.attributes", [WHO])]),
    )


def _roll_up() -> dict[str, Any]:
    silent = [f"{_note('d')} == nil"]
    calls = [f'{span(price.PRICED)} != nil and {span(price.PRICED)} != "{doubles.WRAPPER}" and {_note("d")} == nil']
    return transform(
        group("span", _entries()),
        *(group("span", _up(), conditions=silent) for _ in range(PASSES)),
        group("span", _added(), conditions=calls),
        group("span", _told(), conditions=[f"{span(names.OPERATION)} == {literal(AGENT)}"]),
        group("resource", [f'delete_key(resource.attributes, "{NOTES}")']),
    )


def _note(key: str) -> str:
    return at(resource(NOTES), key)


def _cache(key: str) -> str:
    return at("span.cache", key)


def _entry(identifier: str) -> str:
    """What is known of a span. In sixteen maps, because a map is searched from its beginning.

    ``j`` where the way up goes on, ``u`` the highest span that was found, ``t`` the outermost agent, ``o`` whether the service was entered
    there.
    """
    return f"{_note('e')}[Substring({identifier}, 15, 1)][{identifier}]"


def _entries() -> Iterator[str]:
    own, parent = _entry("span.span_id.string"), "span.parent_span_id.string"
    # the summary may be in any order to its calls, so nothing is told yet
    yield assign(_note("d"), "true", f"{span(runs.RUN)} != nil")
    yield f'delete_key(span.attributes, "{runs.RUN}")'
    yield assign(_note("n"), "0", f"{_note('n')} == nil")
    yield assign(_note("n"), f"{_note('n')} + 1")
    room = f"{_note('n')} <= {MOST}"
    yield assign(at(own, "j"), parent, room)
    yield assign(at(own, "u"), "span.span_id.string", room)
    yield assign(at(own, "t"), '""', room)
    yield assign(at(own, "t"), "span.span_id.string", room, f"{span(names.OPERATION)} == {literal(AGENT)}")
    took = "(span.end_time_unix_nano - span.start_time_unix_nano)"
    entered = f"({parent} == {literal(NOBODY)} or span.kind == SPAN_KIND_SERVER or span.kind == SPAN_KIND_CONSUMER)"
    yield assign(at(own, "o"), "true", room, entered, f"{took} >= 0", f"{took} <= {LONGEST * 10**9}")


def _up() -> Iterator[str]:
    own, above = _entry("span.span_id.string"), _cache("p")
    yield assign(_cache("j"), at(own, "j"))
    yield assign(above, _entry(_cache("j")), f"{_cache('j')} != {literal(NOBODY)}")
    found = f"{above} != nil"
    yield assign(at(own, "t"), at(above, "t"), found, f'{at(above, "t")} != ""')
    yield assign(at(own, "u"), at(above, "u"), found)
    yield assign(at(own, "j"), at(above, "j"), found)


def _added() -> Iterator[str]:
    """The calls of each run, embeddings for their money alone."""
    run = _cache("r")
    yield assign(run, at(_entry("span.span_id.string"), "t"))
    known = f'{run} != nil and {run} != ""'
    for key in ("s", "m"):
        yield assign(f"{_note(key)}[{run}]", "0.0", known, f"({_note(key)} == nil or {_note(key)}[{run}] == nil)")
    yield assign(f"{_note('s')}[{run}]", f"{_note('s')}[{run}] + 1.0", known, f'{span(names.OPERATION)} != "embeddings"')
    yield assign(f"{_note('m')}[{run}]", f"{_note('m')}[{run}] + {span(price.COST)}", known, f"{span(price.COST)} != nil")
    failed = f'({span(price.PRICED)} == "no_usage" and {span(label("outcome"))} == "error")'
    yield assign(f"{_note('b')}[{run}]", "true", known, f"{span(price.COST)} == nil", f"not {failed}")


def _told() -> Iterator[str]:
    own = "span.span_id.string"
    top = at(_entry(_cache("u")), "o")
    yield assign(_cache("u"), at(_entry(own), "u"))
    yield assign(_cache("t"), at(_entry(own), "t"))
    yield assign(span(runs.RUN), "true", f"{_note('d')} == nil", f"{_cache('t')} == {own}", f"{top} == true")
    run = f"{span(runs.RUN)} != nil"
    yield assign(_cache("s"), "0.0")
    yield assign(_cache("m"), "0.0")
    yield assign(_cache("s"), f"{_note('s')}[{own}]", run, f"{_note('s')} != nil", f"{_note('s')}[{own}] != nil")
    yield assign(_cache("m"), f"{_note('m')}[{own}]", run, f"{_note('m')} != nil", f"{_note('m')}[{own}] != nil")
    yield assign(span(runs.COUNTED), _cache("s"), run)
    yield assign(span(runs.COST), _cache("m"), run, f"({_note('b')} == nil or {_note('b')}[{own}] == nil)")
    yield from agent()
    yield from outcome()
