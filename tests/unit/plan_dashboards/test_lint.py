"""What a reviewer of dashboards would check, on the committed files."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from llmobs.catalogue import metrics
from llmobs.catalogue.alert import alerts
from llmobs.catalogue.panel import Dashboard, Unit, panels
from llmobs.plan.collector.series import sorts
from llmobs.plan.dashboards.build import generated_dashboards
from llmobs.plan.rules import bare_groups

from tests.rules.cases import golden

ROOT = Path(__file__).parents[3]
FILES = {path: json.loads(text) for path, text in generated_dashboards().items()}
PANELS = [(path, panel) for path, made in FILES.items() for panel in made["panels"] if panel["type"] != "row"]
QUERIES = [(path, panel["title"], target["expr"]) for path, panel in PANELS for target in panel["targets"]]

FOREIGN = {"up", "http_server_request_duration_count", "rpc_server_call_duration_count"} | {
    f"otelcol_{name}"
    for name in (
        "receiver_accepted_spans",
        "receiver_refused_spans",
        "exporter_send_failed_spans",
        "exporter_enqueue_failed_spans",
        "exporter_send_failed_metric_points",
        "exporter_enqueue_failed_metric_points",
        "exporter_queue_size",
        "exporter_queue_capacity",
        "process_memory_rss",
        "deltatocumulative_datapoints",
        "deltatocumulative_streams_tracked",
    )
}
"""Series of Prometheus itself and of the collector, as 0.158 writes them; the failures only once they have happened."""


def parseable(expr: str) -> str:
    """The expression with Grafana's variables and a runbook's placeholders filled in."""
    return expr.replace("$__rate_interval", "5m").replace("$namespace", "team-a").replace("[[ tile ]]", "5m")


def names(expr: str) -> set[str]:
    """The series an expression reads; a pattern on names counts as all it can mean."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expr)
    bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    found = set(re.findall(r"(?<![\w$])([a-z_][\w:]*)\b(?!\s*\()", re.sub(r"\{[^}]*\}", "{}", re.sub(r"\[[^\]]*\]", "", bare))))
    return {name for name in found if ":" in name or "_" in name or name == "up"} - {"group_left", "group_right"}


@cache
def known() -> set[str]:
    recorded = {
        rule["record"]
        for inputs in golden().values()
        for group in bare_groups(inputs)["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    series = [item for sort in sorts(metrics.BOUNDS) for item in sort.series]
    derived = {f"{item.name}{part}" for item in series for part in (("_bucket", "_sum", "_count") if item.bounds else ("",))}
    return recorded | derived | {metrics.PODS, metrics.PODS_SKIPPED} | FOREIGN


def test_the_committed_files_are_what_the_catalogue_makes() -> None:
    for path, made in FILES.items():
        assert json.loads((ROOT / path).read_text(encoding="utf-8")) == made


@pytest.mark.parametrize("path", FILES)
def test_a_dashboard_can_be_provisioned_anywhere(path: str) -> None:
    made = FILES[path]

    assert made["schemaVersion"] < 43
    assert "elements" not in made
    assert made["editable"] is False
    assert made["uid"]
    assert len(made["uid"]) <= 40
    assert made["title"]
    assert made["description"]
    assert made["timezone"] == "utc"


@pytest.mark.parametrize("path", FILES)
def test_ids_are_unique_and_panels_do_not_overlap(path: str) -> None:
    placed = FILES[path]["panels"]
    cells = [(x, y) for item in placed for x in columns(item) for y in lines(item)]

    assert sorted(item["id"] for item in placed) == list(range(1, len(placed) + 1))
    assert len(cells) == len(set(cells))
    assert all(item["gridPos"]["x"] + item["gridPos"]["w"] <= 24 for item in placed)


def columns(panel: dict[str, Any]) -> range:
    return range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])


def lines(panel: dict[str, Any]) -> range:
    return range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])


@pytest.mark.parametrize(("path", "panel"), PANELS, ids=[f"{Path(path).stem}: {panel['title']}" for path, panel in PANELS])
def test_a_panel_says_what_it_is_and_asks_the_chosen_source(path: str, panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["targets"]
    assert panel["fieldConfig"]["defaults"]["unit"] in {unit.value for unit in Unit}
    assert panel["fieldConfig"]["defaults"]["noValue"]
    for asked in (panel, *panel["targets"]):
        assert asked["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize(("path", "title", "expr"), QUERIES)
def test_a_query_parses_and_reads_what_exists(path: str, title: str, expr: str) -> None:
    promql_parser.parse(parseable(expr))

    assert names(expr)
    assert names(expr) <= known()


@pytest.mark.parametrize(("path", "title", "expr"), QUERIES)
def test_money_is_never_shown_through_increase_or_rate(path: str, title: str, expr: str) -> None:
    assert re.search(r"(rate|increase|delta)\(\w*(cost|budget)(?!\w*_bucket\b)", expr) is None


@pytest.mark.parametrize(("path", "title", "expr"), [item for item in QUERIES if "namespace.json" in item[0]])
def test_a_namespaces_dashboard_asks_about_that_namespace_only(path: str, title: str, expr: str) -> None:
    selectors = re.findall(r"(llm[\w:]+|namespace:llm[\w:]+)(\{[^}]*\})?", re.sub(r"\bby \([^)]*\)", "", expr))

    for name, matchers in selectors:
        assert "$namespace" in matchers or name == "llm:tile:seconds", name


def test_every_file_of_the_catalogue_is_drawn() -> None:
    for which in Dashboard:
        drawn = [panel["title"] for path, panel in PANELS if path.endswith(f"/{which.value}.json")]
        assert drawn == [panel.title for panel in panels(which)]


ASKED = [(alert.name, query.expr) for alert in alerts() for query in alert.runbook.queries]


@pytest.mark.parametrize(("alert", "expr"), ASKED)
def test_a_runbooks_query_parses_and_reads_what_exists(alert: str, expr: str) -> None:
    promql_parser.parse(expr)

    assert names(expr) <= known()


def test_every_alert_reads_what_exists() -> None:
    for inputs in golden().values():
        for group in bare_groups(inputs)["groups"]:
            for rule in group["rules"]:
                assert names(rule["expr"]) - known() <= {"llm_call_duration_seconds_bucket"}, rule
