"""Histograms counted against bounds: the tiles of the buckets in use, and what lies below and above a bound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from llmobs.plan.measures import Bucketed
from llmobs.plan.rules.promql import Rule, record, summed
from llmobs.plan.rules.series import Timing


def bucket_rules(used: Iterable[tuple[Bucketed, tuple[str, ...]]], timing: Timing) -> Iterator[Rule]:
    """Only the bounds in use: every bound costs as much as a counter. Prometheus 3 stores ``5.0`` where 2 stored ``5``."""
    for item, bounds in used:
        wanted = "|".join(bound.replace(".", r"\\.") for bound in bounds)
        only = ",".join(filter(None, (item.labels, f'le=~"({wanted})(\\\\.0+)?|\\\\+Inf"')))
        by_bound = summed(f"{item.histogram}_bucket{{{only}}}", labels=("namespace", "le"), timing=timing)
        yield record(item.tile, f'sum by (namespace, le) (label_replace({by_bound}, "le", "$1", "le", "(.+)\\\\.0+"))')


def counted(item: Bucketed, each: str) -> str:
    """How much there is in all. ``each`` has a series of zero for every bound, with its namespace and ``le``."""
    return f'{each} + on (namespace) group_left () sum by (namespace) ({item.tile}{{le="+Inf"}})'


def below(item: Bucketed) -> str:
    """The right side of an operator: how much lies at the bound or below it."""
    return f"on (namespace, le) group_left () {item.tile}"


def above(item: Bucketed, each: str) -> str:
    """How much lies above the bound."""
    return f"clamp_min(({counted(item, each)})\n  - {below(item)}, 0)"
