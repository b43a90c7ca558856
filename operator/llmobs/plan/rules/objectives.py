"""Objectives as counts: how many calls count, how many missed, over the windows that burn rates need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.objectives import Availability, Indicator, Objective
from llmobs.plan.inputs import Inputs
from llmobs.plan.measures import MEASURES, Bounds, Measure, measure, threshold
from llmobs.plan.rules import series
from llmobs.plan.rules.buckets import above, below, counted
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


def labels(indicator: Indicator, bounds: Bounds) -> dict[str, str]:
    """What tells the kinds of objectives apart: ``sli``, and the bound that judges as the label ``le`` of the recorded series."""
    found = measure(indicator)
    if found is None or isinstance(indicator, Availability):
        return {"sli": "availability"}
    return {"sli": found.sli, "le": plain(bounds.bound(found, threshold(indicator)))}


def measured(inputs: Inputs) -> dict[Measure, tuple[str, ...]]:
    """The measures in use, each with the bounds that judge as labels."""
    found = {item: tuple(map(plain, inputs.bounds.used(item, inputs.policies))) for item in MEASURES}
    return {item: bounds for item, bounds in found.items() if bounds}


def objective_rules(timing: Timing, used: Iterable[Measure]) -> Iterator[Rule]:
    """Tiles per objective, and their sums and ratios per window. Ratios divide sums of counts: a quiet hour weighs what it counted."""
    total, bad = series.OBJECTIVE_TOTAL, series.OBJECTIVE_BAD
    found = tuple(used)
    yield record(f"{total}:tile", "\nor\n".join([_all_calls(), *(counted(item, _targets(item.sli)) for item in found)]))
    yield record(f"{bad}:tile", "\nor\n".join([_failed(), *map(_missed, found)]))
    for window in SHORT:
        yield record(f"{total}:sum{window}", f"sum_over_time({total}:tile[{within(window)}:{timing.tile}])")
        yield record(f"{bad}:sum{window}", f"sum_over_time({bad}:tile[{within(window)}:{timing.tile}])")
    for window in LONG:
        yield record(f"{total}:sum{window}", f"sum_over_time({total}:sum30m[{within(window)}:30m])")
        yield record(f"{bad}:sum{window}", f"sum_over_time({bad}:sum30m[{within(window)}:30m])")
    for window in (*SHORT, *LONG):
        yield record(f"{bad}:ratio{window}", f"{bad}:sum{window} / {total}:sum{window}")


def _targets(sli: str) -> str:
    """Every objective of a kind as zero: the side that gives the labels, so that two policies in one namespace do not meet."""
    return f'{series.OBJECTIVE_TARGET}{{sli="{sli}"}} * 0'


def _all_calls() -> str:
    return f"{_targets('availability')} + on (namespace) group_left () {series.NAMESPACE_CALLS}"


def _failed() -> str:
    failed = f'sum by (namespace) ({series.CALLS}{{outcome="error"}})'
    return f"{_targets('availability')} + on (namespace) group_left ()\n  ({failed} or {series.NAMESPACE_CALLS} * 0)"


def _missed(item: Measure) -> str:
    """Buckets count from below: where more is better, what is in the bucket missed; elsewhere, what is not."""
    targets = _targets(item.sli)
    return f"{targets} + {below(item)}" if item.more_is_better else above(item, targets)
