"""Objectives as counts: how many calls count, how many missed, over the windows that burn rates need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.objectives import Availability, Latency, Objective
from llmobs.kit.durations import seconds
from llmobs.plan.rules import series
from llmobs.plan.rules.promql import Rule, plain, record
from llmobs.plan.rules.series import Timing, within

DEFAULT = Objective(name="availability", indicator=Availability(target=0.99))
"""What a policy without objectives gets."""

SHORT = ("5m", "30m", "1h", "2h", "6h")
LONG = ("1d", "3d")
"""Added up from half hours: three days of tiles for every namespace would be read each minute."""

_KEYS = "namespace, policy, objective, sli, le"


def objectives(policy: Policy) -> tuple[Objective, ...]:
    """The objectives of a policy."""
    return policy.spec.objectives or (DEFAULT,)


def bound(latency: Latency) -> str:
    """A latency threshold in seconds, as the label ``le`` of the recorded series."""
    return plain(seconds(latency.threshold))


def thresholds(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Every latency threshold in use, shortest first."""
    found = {bound(item.indicator) for policy in policies for item in objectives(policy) if isinstance(item.indicator, Latency)}
    return tuple(sorted(found, key=float))


def objective_rules(timing: Timing, *, latency: bool) -> Iterator[Rule]:
    """Tiles per objective, and their sums and ratios per window. Ratios divide sums of counts: a quiet hour weighs what it counted."""
    total, bad = series.OBJECTIVE_TOTAL, series.OBJECTIVE_BAD
    yield record(f"{total}:tile", _either(_all_calls(), _all_timed() if latency else None))
    yield record(f"{bad}:tile", _either(_failed(), _slow() if latency else None))
    for window in SHORT:
        yield record(f"{total}:sum{window}", f"sum_over_time({total}:tile[{within(window)}:{timing.tile}])")
        yield record(f"{bad}:sum{window}", f"sum_over_time({bad}:tile[{within(window)}:{timing.tile}])")
    for window in LONG:
        yield record(f"{total}:sum{window}", f"sum_over_time({total}:sum30m[{within(window)}:30m])")
        yield record(f"{bad}:sum{window}", f"sum_over_time({bad}:sum30m[{within(window)}:30m])")
    for window in (*SHORT, *LONG):
        yield record(f"{bad}:ratio{window}", f"{bad}:sum{window} / {total}:sum{window}")


def _either(availability: str, latency: str | None) -> str:
    return availability if latency is None else f"{availability}\nor\n{latency}"


def _targets(sli: str) -> str:
    """Every objective of a kind as zero: the side that gives the labels, so that two policies in one namespace do not meet."""
    return f'{series.OBJECTIVE_TARGET}{{sli="{sli}"}} * 0'


def _all_calls() -> str:
    return f"{_targets('availability')} + on (namespace) group_left () {series.NAMESPACE_CALLS}"


def _failed() -> str:
    failed = f'sum by (namespace) ({series.CALLS}{{outcome="error"}})'
    return f"{_targets('availability')} + on (namespace) group_left ()\n  ({failed} or {series.NAMESPACE_CALLS} * 0)"


def _all_timed() -> str:
    return f'{_targets("latency")} + on (namespace) group_left () sum by (namespace) ({series.DURATION_BUCKET}{{le="+Inf"}})'


def _slow() -> str:
    fast = f"on (namespace, le) group_left () {series.DURATION_BUCKET}"
    return f"clamp_min(({_all_timed()})\n  - {fast}, 0)"
