"""Which spans are sent on: a share by trace id, and what there is a reason to keep, with the rest of its trace as far as it can be known.

A span that there is a reason to keep goes on at once. Of its trace, the spans that the same pod of the gateway sees within
:data:`WAIT` of the first one, and all later ones, follow it: there is no tier that brings the spans of a trace to one pod.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmobs.plan.collector import components as c
from llmobs.plan.collector import price, runs
from llmobs.plan.collector.ottl import assign, at, group, literal, resource, span, transform
from llmobs.plan.collector.sampling import TERMS

VERDICT = "llmobs.sample"

CHOSEN, KEPT, LEFT = "chosen", "kept", "left"

JUDGE, FIRST, REST, LATER = f"{c.TRANSFORM}/sample", f"{c.FILTER}/sampled", f"{c.FILTER}/left", f"{c.FILTER}/followed"
NOW, WAITING = f"{c.FORWARD}/sampled", f"{c.FORWARD}/left"

WAIT = "30s"
TRACES = 10_000
"""Traces that a pod holds while it waits. Beyond that the oldest are given up: what there was a reason to keep of them has gone already."""
FOLLOWED = 50_000
"""Traces whose later spans still follow."""


def processors() -> dict[str, Any]:
    """The processors by their names in the configuration."""
    verdict = span(VERDICT)
    return {
        JUDGE: transform(group("span", _judgement(), conditions=[f"{resource(TERMS)} != nil"])),
        FIRST: _dropping(f"{verdict} == {literal(LEFT)}"),
        REST: _dropping(f"{verdict} == nil or {verdict} == {literal(CHOSEN)}"),
        c.TAIL_SAMPLING: {
            "decision_wait": WAIT,
            "num_traces": TRACES,
            "decision_cache": {"sampled_cache_size": FOLLOWED},
            "policies": [
                {
                    "name": "reason",
                    "type": "ottl_condition",
                    "ottl_condition": {"error_mode": "ignore", "span": [f"{verdict} == {literal(KEPT)}"]},
                }
            ],
        },
        LATER: _dropping(f"{verdict} == {literal(KEPT)}"),
    }


def pipelines(source: str, first: Sequence[str], door: str) -> dict[str, Any]:
    """From the connector ``source`` through the processors ``first`` to ``door``: at once, or behind those they belong to."""
    return {
        "traces/out": {"receivers": [source], "processors": [*first, JUDGE], "exporters": [NOW, WAITING]},
        "traces/sampled": {"receivers": [NOW], "processors": [FIRST], "exporters": [door]},
        "traces/left": {"receivers": [WAITING], "processors": [REST, c.TAIL_SAMPLING, LATER], "exporters": [door]},
    }


def connectors() -> dict[str, Any]:
    """The connectors by their names in the configuration."""
    return {NOW: {}, WAITING: {}}


def _judgement() -> list[str]:
    verdict, cost, run = span(VERDICT), span(price.COST), span(runs.COST)
    randomness = "Substring(span.trace_id.string, 18, 14)"
    took = "Double(span.end_time_unix_nano - span.start_time_unix_nano)"
    keep = literal(KEPT)
    return [
        assign(verdict, literal(LEFT)),
        assign(verdict, literal(CHOSEN), f"{randomness} >= {_asked('t')}"),
        assign(verdict, keep, f"{_asked('e')} != nil", "span.status.code == STATUS_CODE_ERROR"),
        assign(verdict, keep, f"{_asked('u')} != nil", f"{cost} != nil", f"{cost} > {_asked('u')}"),
        assign(verdict, keep, f"{span(runs.LOOP)} != nil"),
        assign(verdict, keep, f"{_asked('u')} != nil", f"{run} != nil", f"{run} > {_asked('u')}"),
        assign(verdict, keep, f"{_asked('d')} != nil", f"{took} > {_asked('d')}"),
    ]


def _asked(key: str) -> str:
    return at(resource(TERMS), key)


def _dropping(condition: str) -> dict[str, Any]:
    return {"error_mode": "silent", "trace_conditions": [condition]}
