"""Calendar money: complete hours and days, the running period, budgets. All times are UTC; weeks begin on Monday."""

from __future__ import annotations

from collections.abc import Iterator

from llmobs.api.v1alpha1.budgets import Period
from llmobs.catalogue import metrics
from llmobs.plan.rules import series
from llmobs.plan.rules.promql import Group, Rule, gateway_targets, group, indented, record
from llmobs.plan.rules.series import Timing, within

SPANS = {Period.DAY: "2d", Period.WEEK: "8d", Period.MONTH: "32d"}
"""How far back each period can begin, with a margin."""


def history_group(timing: Timing) -> Group:
    """Complete hours and days, with every label of money and per namespace."""
    return group("llmobs-history", timing.slow, _history(timing))


def agent_history_group(timing: Timing) -> Group:
    """The same by agent."""
    return group("llmobs-agent-history", timing.slow, _complete(series.AGENT_COST, timing))


def budget_group(timing: Timing, namespace: str) -> Group:
    """The clock, every namespace's spend in the running periods, and every budget. ``namespace`` is the gateway's."""
    return group("llmobs-budgets", timing.interval, [*_clock(), *_known(), *_namespaces(timing), *_budgets(gateway_targets(namespace))])


def to_date(cost: str, *, period: Period, timing: Timing, by: str, only: str = "") -> str:
    """Spend since the period began, from complete days, then complete hours, then tiles, each instant counted once.

    ``cost`` is the family (``llm:cost_usd``), ``only`` a selector on it, ``by`` the labels to keep. Inside a subquery ``time()`` is the
    step's own time while ``@ end()`` is that of the evaluation, so history is masked by where the period begins *now*. A value of
    ``:hour`` is read well inside the hour that follows it, never at its edge, because the phase of a group's evaluation is not ours
    to choose; any evaluation within that time will do, so that a restart of Prometheus at the full hour loses nothing.
    """
    start = series.PERIOD_START.format(period=period.value.lower())
    parts = [
        *([("days", _days(cost, only, start, SPANS[period]))] if period is not Period.DAY else []),
        ("hours", _hours(cost, only, start)),
        ("tiles", _tiles(cost, only, start, timing)),
    ]
    united = "\nor\n".join(f'label_replace(\n{indented(expr)},\n  "part", "{name}", "", "")' for name, expr in parts)
    return f"sum by ({by}) (\n{indented(united)}\n)"


def _history(timing: Timing) -> Iterator[Rule]:
    for made in _complete(series.COST, timing):
        yield made
        name = made["record"]
        yield record(f"{series.NAMESPACE_COST}{name.removeprefix(series.COST)}", f"sum by (namespace) ({name})")


def _complete(cost: str, timing: Timing) -> Iterator[Rule]:
    hour = f"sum_over_time(({cost}:tile and on () {_fresh(timing)})[{within('1h')}:{timing.tile}])"
    yield record(f"{cost}:hour", f"last_over_time(\n  {hour}\n  [1h:1h])")
    day = f"sum_over_time({_hour_at_step(cost, '')}[{within('1d')}:1h] offset -1h)"
    yield record(f"{cost}:day", f"last_over_time(\n  {day}\n  [1d:1d] offset 1h)")


def _hour_at_step(cost: str, only: str) -> str:
    """At an hour's edge T: the hour that ended at T - 1h."""
    return f"last_over_time({cost}:hour{only}[45m] offset 10m)"


def _days(cost: str, only: str, start: str, span: str) -> str:
    """At midnight T the value is the day that ended at T - 1d."""
    return _masked(f"last_over_time({cost}:day{only}[6h] offset 2h)", f"[{span}:1d]", _after(start, 86400), _until(series.DAY_CLOCK))


def _hours(cost: str, only: str, start: str) -> str:
    """Hours of today and yesterday: yesterday becomes readable as a day only at the next midnight."""
    since, upto = _after(series.DAY_CLOCK, 3600 - 86400), _until(series.HOUR_CLOCK)
    return _masked(_hour_at_step(cost, only), "[49h:1h]", _after(start, 3600), since, upto)


def _tiles(cost: str, only: str, start: str, timing: Timing) -> str:
    """Tiles of the running hour and the one before, which is not readable as an hour yet."""
    since = _after(series.HOUR_CLOCK, -3600)
    return _masked(f"{cost}:tile{only}", f"[2h10m:{timing.tile}]", _after(start, 0), since, _fresh(timing))


def _masked(value: str, window: str, *masks: str) -> str:
    lines = "".join(f"  and on () {mask}\n" for mask in masks)
    return f"sum_over_time((\n  {value}\n{lines}){window})"


def _after(clock: str, offset: int) -> str:
    moved = f" {'+' if offset > 0 else '-'} {abs(offset)}" if offset else ""
    return f"(vector(time()) > on () ({clock} @ end()){moved})"


def _until(clock: str) -> str:
    """Up to the clock's time and not to now: another group may read the clock a moment late, and the parts must still meet."""
    return f"(vector(time()) <= on () ({clock} @ end()))"


def _fresh(timing: Timing) -> str:
    """Whether rules were evaluated within this very tile: an instant look-up would take an older one again and count it twice."""
    return f"(timestamp({series.HEARTBEAT}) > time() - {timing.seconds})"


def _clock() -> Iterator[Rule]:
    """Where the running spans began. A period begins one second late: the instant 00:00:00 still closes the one before."""
    now = "(vector(time()) - 1)"
    day = f"floor({now} / 86400) * 86400"
    yield record(series.PERIOD_START.format(period="day"), day)
    yield record(series.PERIOD_START.format(period="week"), f"floor(({now} + 3 * 86400) / 604800) * 604800 - 3 * 86400")
    yield record(series.PERIOD_START.format(period="month"), f"{day} - (day_of_month({now}) - 1) * 86400")
    yield record(series.DAY_CLOCK, "floor(vector(time()) / 86400) * 86400")
    yield record(series.HOUR_CLOCK, "floor(vector(time()) / 3600) * 3600")


def _known() -> Iterator[Rule]:
    """Share of the running period's hours that Prometheus has: retention, a loss or a late installation hide the rest."""
    for period in Period:
        start = series.PERIOD_START.format(period=period.value.lower())
        seen = f"count_over_time((\n  {series.HEARTBEAT}\n  and on () {_after(start, 0)}\n)[{SPANS[period]}:1h])"
        hours = f"(floor((vector(time()) - on () {start}) / 3600) > 0)"
        yield record(series.HISTORY, f"{seen}\n/ on () {hours}", {"period": period.value})


def _namespaces(timing: Timing) -> Iterator[Rule]:
    for period in Period:
        yield record(
            namespace_to_date(period),
            to_date(series.NAMESPACE_COST, period=period, timing=timing, by="namespace"),
        )


def namespace_to_date(period: Period) -> str:
    """Name of a namespace's spend in the running period."""
    return f"{series.NAMESPACE_COST}:{period.value.lower()}_to_date"


def _budgets(gateway: str) -> Iterator[Rule]:
    budget, spent, matched = metrics.BUDGET, metrics.BUDGET_SPENT, series.BUDGET_MATCHED
    whole = "\nor ".join(
        f'{budget}{{period="{period.value}"}} * 0 + on (namespace) group_left () {namespace_to_date(period)}' for period in Period
    )
    known = f"(\n  {matched}\n  or ((\n{indented(indented(whole))}\n  ) unless {matched})\n)"
    scraped = f"count(max_over_time(up{{{gateway}}}[15m]) > 0)"
    yield record(series.ALIVE, f"count({series.NAMESPACE_CALLS})\nor {scraped}")
    yield record(spent, f"{known} > 0\nor ({budget} * 0 and on () {series.ALIVE})")
    yield record(metrics.BUDGET_USED, f"{spent} / {budget}")
