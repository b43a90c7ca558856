"""The contract of a dashboard panel: one YAML file in ``panels/``. Where it stands is computed."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import cache

import yaml

from llmobs.kit.decode import decode
from llmobs.kit.discovery import texts
from llmobs.kit.errors import Invalid
from llmobs.kit.schema import prop

DIRECTORY = "llmobs.catalogue.panels"


class Dashboard(enum.Enum):
    """Which dashboard a panel is on."""

    FLEET = "fleet"
    NAMESPACE = "namespace"


class Kind(enum.Enum):
    """How a panel shows its numbers."""

    STAT = "Stat"
    """One number per series, now."""
    BARS = "Bars"
    """One bar per series, now."""
    LINES = "Lines"
    """Over time."""
    STACK = "Stack"
    """Over time, one upon the other."""
    TABLE = "Table"
    """One row per set of labels, one column per query, now."""


class Unit(enum.Enum):
    """Grafana's names of the units in use."""

    USD = "currencyUSD"
    RATIO = "percentunit"
    SECONDS = "s"
    BYTES = "bytes"
    COUNT = "short"


@dataclass(frozen=True, kw_only=True)
class Query:
    """One query of a panel."""

    expr: str = prop(min_length=1)
    """PromQL; ``$namespace`` is the dashboard's namespace."""
    legend: str = prop("")
    """Name of a series, with ``{{label}}``; in a table, of the column."""
    unit: Unit | None = prop(None)
    """In a table: the column's unit, where it is not the panel's."""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel."""

    title: str = prop(min_length=1, max_length=60)
    """What it shows."""
    description: str = prop(min_length=1)
    """How to read it, in one or two sentences."""
    dashboard: Dashboard = prop()
    """The dashboard it is on."""
    row: str = prop(min_length=1)
    """The row it stands in; rows follow the order of their first panels."""
    order: int = prop(minimum=1)
    """Its place among the panels of the dashboard."""
    width: int = prop(minimum=3, maximum=24)
    """Columns of 24."""
    kind: Kind = prop()
    """How it shows its numbers."""
    unit: Unit = prop(Unit.COUNT)
    """The unit of its numbers."""
    warn_at: float | None = prop(None)
    """From this value on it is shown in orange."""
    alarm_at: float | None = prop(None)
    """From this value on it is shown in red."""
    empty: str = prop("no data", min_length=1)
    """What to say when the answer is empty."""
    queries: tuple[Query, ...] = prop(min_items=1, max_items=8)
    """What it asks."""


@cache
def panels(dashboard: Dashboard) -> tuple[Panel, ...]:
    """The panels of a dashboard in their order. Raises :class:`Invalid` with the file's name."""
    every = [_panel(stem, text) for stem, text in texts(DIRECTORY, ".yaml")]
    return tuple(sorted((item for item in every if item.dashboard is dashboard), key=lambda item: (item.order, item.title)))


def _panel(stem: str, text: str) -> Panel:
    try:
        made = decode(Panel, yaml.safe_load(text))
    except Invalid as wrong:
        raise wrong.under(f"{stem}.yaml") from None
    if not stem.startswith(f"{made.dashboard.value}-"):
        raise Invalid(f"{stem}.yaml", f"the file's name begins with its dashboard: {made.dashboard.value}-…")
    return made
