"""Each kind of panel with Grafana's own builders. Imported only when dashboards are generated."""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as sdk
from grafana_foundation_sdk.models import common as words
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DataTransformerConfig, DynamicConfigValue, Threshold, ThresholdsMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from llmobs.catalogue.panel import Kind, Panel, Query, Unit

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
LETTERS = "ABCDEFGH"


def builder(panel: Panel) -> Any:
    """The builder of a panel, everything set but its place."""
    made = _KINDS[panel.kind](panel)
    made = made.title(panel.title).description(" ".join(panel.description.split())).datasource(SOURCE)
    made = made.unit(panel.unit.value).no_value(panel.empty).thresholds(_thresholds(panel))
    for letter, query in zip(LETTERS, panel.queries, strict=False):
        made = made.with_target(_target(panel, query, letter))
    return made


def _stat(panel: Panel) -> Any:
    return stat.Panel().reduce_options(_last()).graph_mode(words.BigValueGraphMode.NONE).color_mode(_color(panel)).decimals(2)


def _bars(panel: Panel) -> Any:
    drawn = bargauge.Panel().reduce_options(_last()).orientation(words.VizOrientation.HORIZONTAL)
    drawn = drawn.display_mode(words.BarGaugeDisplayMode.BASIC).value_mode(words.BarGaugeValueMode.TEXT)
    return drawn.min(0).max(1) if panel.unit is Unit.RATIO else drawn


def _lines(_: Panel) -> Any:
    legend = common.VizLegendOptions().display_mode(words.LegendDisplayMode.LIST).placement(words.LegendPlacement.BOTTOM).show_legend(True)
    tooltip = common.VizTooltipOptions().mode(words.TooltipDisplayMode.MULTI).sort(words.SortOrder.DESCENDING)
    return timeseries.Panel().legend(legend).tooltip(tooltip).min(0).show_points(words.VisibilityMode.AUTO)


def _stack(panel: Panel) -> Any:
    return _lines(panel).stacking(common.StackingConfig().mode(words.StackingMode.NORMAL)).fill_opacity(30)


def _table(panel: Panel) -> Any:
    """One column per query: the answers are merged by their labels, the sample's time and the metric's name left out."""
    columns = [query.legend for query in panel.queries]
    names = [f"Value #{letter}" for letter in LETTERS[: len(columns)]] if len(columns) > 1 else ["Value"]
    made = table.Panel().with_transformation(_step("merge", {}))
    made = made.with_transformation(
        _step("organize", {"excludeByName": {"Time": True, "__name__": True}, "renameByName": dict(zip(names, columns, strict=True))})
    )
    for query in panel.queries:
        if query.unit is not None:
            made = made.override_by_name(query.legend, [DynamicConfigValue(id_val="unit", value=query.unit.value)])
    return made


_KINDS = {Kind.STAT: _stat, Kind.BARS: _bars, Kind.LINES: _lines, Kind.STACK: _stack, Kind.TABLE: _table}


def _target(panel: Panel, query: Query, letter: str) -> Any:
    made = prometheus.Dataquery().expr(" ".join(query.expr.split())).ref_id(letter).datasource(SOURCE)
    if panel.kind is Kind.TABLE:
        return made.instant().format(PromQueryFormat.TABLE)
    made = made.legend_format(query.legend or "__auto")
    return made.range() if panel.kind in {Kind.LINES, Kind.STACK} else made.instant()


def _last() -> Any:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


def _color(panel: Panel) -> words.BigValueColorMode:
    judged = panel.warn_at is not None or panel.alarm_at is not None
    return words.BigValueColorMode.VALUE if judged else words.BigValueColorMode.NONE


def _step(name: str, options: dict[str, Any]) -> DataTransformerConfig:
    return DataTransformerConfig(id_val=name, options=options)


def _thresholds(panel: Panel) -> Any:
    steps = [Threshold(value=None, color="green")]
    steps += [Threshold(value=panel.warn_at, color="orange")] if panel.warn_at is not None else []
    steps += [Threshold(value=panel.alarm_at, color="red")] if panel.alarm_at is not None else []
    return sdk.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
