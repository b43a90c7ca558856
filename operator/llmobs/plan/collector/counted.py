"""What is counted of each span, under which labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from llmobs.catalogue import generations as names
from llmobs.catalogue import metrics
from llmobs.plan.collector import buckets, metered, observe, price, runs
from llmobs.plan.collector.ottl import datapoint, literal, span

LONGEST_CALL = 86_400_000_000_000
"""Nanoseconds. A span that claims to have taken longer is not timed."""

_OK = f'{span(price.label("outcome"))} == "ok"'
_TOOK = "(span.end_time_unix_nano - span.start_time_unix_nano)"
# the difference itself: of times that a client invents it may overflow, though the one is the greater
_TIMED = (f"{_TOOK} >= 0", f"{_TOOK} <= {LONGEST_CALL}")
_SECONDS = f"Double{_TOOK} / 1000000000.0"


@dataclass(frozen=True)
class Series:
    """One metric definition of signal_to_metrics."""

    name: str
    """As Prometheus sees it, with its suffix."""
    labels: tuple[str, ...]
    """A span without the attribute of one of them does not count."""
    when: tuple[str, ...]
    value: str
    unit: str
    """In braces: not made part of the name."""
    help: str
    fixed: tuple[tuple[str, str], ...] = ()
    """Labels with one value."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Label -> the span attribute that holds it, where that is not the label's own."""
    mark: str = ""
    """A span attribute of one value that only spans that count have; no label."""
    bounds: tuple[float, ...] = ()
    """Bucket bounds; makes it a histogram."""
    count: str = ""
    """How often a histogram counts the value, where that is not once."""

    def attribute(self, name: str) -> str:
        """The span attribute that holds a label."""
        return self.kept.get(name, price.label(name))


def calls(bounds: Mapping[str, tuple[float, ...]]) -> tuple[Series, ...]:
    """Of billed calls. ``bounds``: the bucket bounds of the histograms."""
    model = ("provider", "model")
    return (
        Series(
            metrics.CALLS,
            (*model, "operation", "outcome", "error_type", "priced"),
            (),
            "1",
            "{call}",
            "Calls to models.",
        ),
        _cost(metrics.COST, (), "US dollars, by the price table."),
        *(_tokens(kind) for kind in metrics.TOKEN_TYPES),
        Series(
            metrics.DURATION,
            (*model, "operation", "outcome"),
            _TIMED,
            _SECONDS,
            "s",
            "How long calls took.",
            bounds=bounds[metrics.DURATION],
        ),
        _first_token(bounds[metrics.FIRST_CHUNK]),
        _speed(bounds[metrics.SPEED]),
        _size(metrics.INPUT_TOKENS, ("input", "cache_read", "cache_write"), "Input tokens of a call.", bounds),
        _size(metrics.OUTPUT_TOKENS, ("output", "reasoning"), "Output tokens of a call.", bounds),
    )


def agents() -> tuple[Series, ...]:
    """The money of calls again, by the names that applications give their agents and workflows."""
    return (_cost(metrics.AGENT_COST, ("agent", "workflow"), "US dollars of calls that name an agent or a workflow."),)


def _cost(name: str, labels: tuple[str, ...], help_: str) -> Series:
    named = " or ".join(f'{span(price.label(label))} != ""' for label in labels)
    when = (f"{span(price.COST)} != nil", *([f"({named})"] if named else []))
    return Series(name, ("provider", "model", *labels), when, span(price.COST), "{USD}", help_)


def observed(bounds: Mapping[str, tuple[float, ...]]) -> tuple[Series, ...]:
    """Of everything else, under names that applications choose."""
    return (
        Series(metrics.TOOL_CALLS, ("tool", "agent", "outcome"), (), "1", "{call}", "Tools that agents ran."),
        _retrieval(bounds[metrics.RETRIEVAL_DURATION]),
        _results(bounds[metrics.RETRIEVAL_RESULTS]),
        *(_score(slot, bounds[metrics.SCORE]) for slot in range(observe.SCORES)),
        Series(
            metrics.VALIDATIONS,
            ("check", "outcome"),
            (),
            "1",
            "{check}",
            "Checks of answers.",
            kept={"outcome": observe.CHECKED},
        ),
        Series(metrics.RUNS, ("agent", "outcome"), (), "1", "{run}", "Runs of agents.", mark=runs.RUN),
        _run(metrics.RUN_COST, runs.COST, "What the calls of a run cost.", bounds),
        _run(metrics.RUN_STEPS, runs.COUNTED, "Calls to models in a run.", bounds),
        Series(metrics.LOOPS, ("agent", "tool"), (), "1", "{run}", "Runs that repeated a tool too often.", kept={"tool": runs.LOOP}),
        Series(metrics.FEEDBACK, ("kind",), (), "1", "{word}", "What users said of answers."),
    )


def points(bounds: Mapping[str, tuple[float, ...]]) -> tuple[Series, ...]:
    """The series of calls again, of applications that send only metrics: the same names and labels, from data points."""
    spans = {item.name: item for item in calls(bounds)}
    tokens, cost = datapoint(metered.TOKENS), datapoint(price.COST)
    sized = ((metrics.INPUT_TOKENS, "input"), (metrics.OUTPUT_TOKENS, "output"))
    return (
        replace(spans[metrics.CALLS], value="datapoint.count"),
        replace(spans[metrics.COST], when=(f"{cost} != nil",), value=cost),
        replace(spans[metrics.TOKENS], labels=("provider", "model", "token_type"), when=(f"{tokens} != nil",), value=tokens, fixed=()),
        *_spread(spans[metrics.DURATION]),
        *_spread(spans[metrics.FIRST_CHUNK], metered.told_by(metered.FIRST_CHUNK), f"{datapoint('error.type')} == nil"),
        *(item for name, kind in sized for item in _spread(spans[name], f'{datapoint(metered.KIND)} == "{kind}"')),
    )


def _spread(item: Series, *when: str) -> Iterator[Series]:
    """A histogram from the buckets of another: each of these is counted at once."""
    for index in range(buckets.MOST):
        count = buckets.count(index)
        yield replace(item, when=(f"{count} != nil", *when), value=buckets.value(index), count=count)


def _run(name: str, attribute: str, help_: str, bounds: Mapping[str, tuple[float, ...]]) -> Series:
    value = span(attribute)
    return Series(name, ("agent",), (f"{value} != nil",), value, "{run}", help_, mark=runs.RUN, bounds=bounds[name])


def _tokens(kind: str) -> Series:
    value = span(price.tokens(kind))
    return Series(
        metrics.TOKENS,
        ("provider", "model"),
        (f"{value} != nil",),
        value,
        "{token}",
        "Tokens, each counted once.",
        fixed=(("token_type", kind),),
    )


def _first_token(bounds: tuple[float, ...]) -> Series:
    given = span(names.FIRST_CHUNK)
    sane = (f"{given} != nil", _OK, f"Double({given}) >= 0.0", f"Double({given}) <= {literal(LONGEST_CALL / 1e9)}")
    help_ = "Time until the first chunk of a streamed answer."
    return Series(metrics.FIRST_CHUNK, ("provider", "model"), sane, f"Double({given})", "s", help_, bounds=bounds)


def _speed(bounds: tuple[float, ...]) -> Series:
    made = _sum(("output", "reasoning"))
    when = (f"{span(price.tokens('output'))} != nil", _OK, f"{_TOOK} > 0", f"{_TOOK} <= {LONGEST_CALL}", f"{made} > 0.0")
    value = f"({made}) * 1000000000.0 / Double{_TOOK}"
    return Series(metrics.SPEED, ("provider", "model"), when, value, "{token}", "Output tokens per second of a call.", bounds=bounds)


def _size(name: str, kinds: tuple[str, ...], help_: str, bounds: Mapping[str, tuple[float, ...]]) -> Series:
    reported = f"{span(price.tokens(kinds[0]))} != nil"
    return Series(name, ("provider", "model"), (reported,), _sum(kinds), "{token}", help_, bounds=bounds[name])


def _sum(kinds: tuple[str, ...]) -> str:
    """All tokens of these types; the first is there."""
    return " + ".join([span(price.tokens(kinds[0])), *(f"Coalesce([{span(price.tokens(kind))}, 0.0])" for kind in kinds[1:])])


def _retrieval(bounds: tuple[float, ...]) -> Series:
    help_ = "How long retrievals took."
    return Series(metrics.RETRIEVAL_DURATION, ("outcome",), _TIMED, _SECONDS, "s", help_, mark=observe.TOOK, bounds=bounds)


def _results(bounds: tuple[float, ...]) -> Series:
    found = span(observe.RESULTS)
    when = (f"{found} != nil", _OK)
    return Series(metrics.RETRIEVAL_RESULTS, (), when, found, "{document}", "Documents found.", mark=observe.TOOK, bounds=bounds)


def _score(slot: int, bounds: tuple[float, ...]) -> Series:
    name, value = observe.scored(slot)
    when = (f"{span(value)} != nil",)
    return Series(metrics.SCORE, ("name",), when, span(value), "{score}", "Scores of evaluations.", kept={"name": name}, bounds=bounds)
