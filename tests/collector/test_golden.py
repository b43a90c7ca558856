"""Configurations as they are rendered, each accepted by the real collector. UPDATE_GOLDEN=1 writes them anew."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from llmobs.plan import collector
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable, Row, table

from tests.collector.conftest import FULL, inputs

GOLDEN = Path(__file__).parents[1] / "golden" / "collector"

SMALL = PriceTable(
    rows={
        "gpt-4o": Row("gpt-4o", 2.5, 10, 1.25, 2.5, 10),
        "gpt-4o-2024-05-13": Row("gpt-4o-2024-05-13", 5, 15, 5, 5, 15),
        "azure.ai.openai|gpt-4o": Row("gpt-4o", 2.75, 11, 1.375, 2.75, 11),
    }
)
"""Enough to see every kind of look-up; the whole table would hide what a change does."""

FLEET = {
    **FULL,
    "destinations": [
        {
            "name": "langfuse",
            "otlp": {"endpoint": "https://langfuse.example.com/api/public/otel", "credentialsSecretRef": {"name": "langfuse"}},
        },
        {"name": "tempo", "otlp": {"endpoint": "http://tempo.monitoring.svc:4318", "headers": {"X-Scope-OrgID": "llm"}}},
    ],
}

CASES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "one-policy": {"policies": {"team-a/checkout": {"attributes": {"team": "payments"}}}},
    "everything": {
        "fleet": FLEET,
        "settings": {"clusterName": "east"},
        "policies": {
            "team-a/checkout": {
                "attributes": {"team": "payments", "feature": "checkout", "environment": "production", "costCenter": 'a "$4711"'},
                "content": {"capture": "Full"},
                "agents": {"maxRunCostUSD": 0.25, "maxSteps": 20, "maxToolRepeats": 2},
                "backends": [{"name": "one", "destination": "langfuse"}, {"name": "two", "destination": "tempo"}],
                "objectives": [{"name": "latency", "latency": {"target": 0.95, "threshold": "5s"}}],
            },
            "team-a/search": {"attributes": {"team": "payments"}, "backends": [{"name": "one", "destination": "tempo"}]},
            "team-b/chat": {
                "sampling": {"ratio": 0.2, "keepCostlierThanUSD": 0.5, "keepLongerThan": "30s"},
                "backends": [{"name": "own", "otlp": {"endpoint": "https://otlp.example.com", "headers": {"X-Key": "a$b"}}}],
                "objectives": [{"name": "latency", "latency": {"target": 0.9, "threshold": "500ms"}}],
            },
        },
    },
}


def accepted(otelcol: str, path: Path) -> str:
    """What the collector says against a configuration; nothing when it takes it."""
    done = subprocess.run([otelcol, "validate", "--config", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stderr + done.stdout


def golden(name: str, text: str) -> None:
    """Compare with the file, or write it when asked to."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"{path} is missing: UPDATE_GOLDEN=1 writes it"
    assert text == path.read_text(encoding="utf-8"), f"{path} differs: look at the change, then UPDATE_GOLDEN=1 writes it"


@pytest.mark.parametrize("case", CASES)
def test_the_configuration_is_as_it_was_and_accepted(otelcol: str, case: str) -> None:
    golden(f"{case}.yaml", collector.text(inputs(prices=SMALL, **CASES[case])))

    assert accepted(otelcol, GOLDEN / f"{case}.yaml") == ""


def test_the_objects_are_as_they_were() -> None:
    [part] = collector.parts(inputs(prices=SMALL, **CASES["everything"]))
    shown = [{**item, "data": {"config.yaml": "see everything.yaml\n"}} if item["kind"] == "ConfigMap" else item for item in part.manifests]

    # its name is the hash of everything.yaml, which tells any change better
    [name] = [item["metadata"]["name"] for item in shown if item["kind"] == "ConfigMap"]
    golden("objects.yaml", yaml.safe_dump_all(shown, sort_keys=False).replace(name, "llmobs-gateway-HASH"))


def test_the_whole_price_list_is_accepted_and_small(otelcol: str, tmp_path: Path) -> None:
    text = collector.text(inputs())
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")

    assert accepted(otelcol, tmp_path / "config.yaml") == ""
    assert len(text) < 500_000


def test_the_names_of_an_older_release_are_names(otelcol: str, tmp_path: Path) -> None:
    """Of a name that was given up, releases for long understand the old one too."""
    older = inputs(prices=SMALL, **{**CASES["everything"], "settings": {"images": {"collectorVersion": "0.155.0"}}})
    (tmp_path / "config.yaml").write_text(collector.text(older), encoding="utf-8")

    assert "deltatocumulative" in collector.text(older)
    assert accepted(otelcol, tmp_path / "config.yaml") == ""


def test_a_broken_configuration_is_refused_with_a_reason(otelcol: str, tmp_path: Path) -> None:
    """What the init container relies on."""
    config = collector.bare_config(inputs(prices=SMALL))
    config["processors"]["transform/price"]["trace_statements"][0]["statements"].append("set(span.nothing, 1)")
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))

    assert "span.nothing" in accepted(otelcol, tmp_path / "config.yaml")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
HEADERS = st.dictionaries(
    st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,20}", fullmatch=True),
    st.text(st.characters(codec="ascii", min_codepoint=32), max_size=20),
    max_size=3,
)
OWN = st.builds(lambda host, headers: {"endpoint": f"https://{host}.example.com/otel", "headers": headers}, NAMES, HEADERS)
BACKENDS = st.one_of(
    st.builds(lambda name, config: {"name": name, "otlp": config}, NAMES, OWN),
    st.builds(lambda name, to: {"name": name, "destination": to}, NAMES, st.sampled_from(["langfuse", "tempo"])),
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "attributes": st.dictionaries(TEXT.filter(bool), TEXT, max_size=5),
        "sampling": st.fixed_dictionaries({"ratio": st.floats(0, 1)}, optional={"keepCostlierThanUSD": st.floats(0, 1e6)}),
        "content": st.sampled_from([{"capture": "None"}, {"capture": "Full"}]),
        "backends": st.lists(BACKENDS, max_size=4, unique_by=lambda item: item["name"]),
        "objectives": st.lists(
            st.integers(10, 3_600_000).map(lambda ms: {"name": f"o{ms}", "latency": {"target": 0.9, "threshold": f"{ms}ms"}}),
            max_size=3,
            unique_by=lambda item: item["name"],
        ),
    },
)
POLICIES = st.dictionaries(st.tuples(NAMES, NAMES).map("/".join), SPECS, max_size=4)


@settings(max_examples=15, derandomize=True, deadline=None)
@given(policies=POLICIES, cluster=TEXT)
def test_whatever_valid_resources_say_the_collector_takes_it(
    otelcol: str, tmp_path_factory: pytest.TempPathFactory, policies: dict[str, Any], cluster: str
) -> None:
    path = tmp_path_factory.mktemp("property") / "config.yaml"
    path.write_text(collector.text(inputs(policies, fleet=FLEET, prices=SMALL, settings={"clusterName": cluster})), encoding="utf-8")

    assert accepted(otelcol, path) == ""


def test_equal_inputs_make_equal_text() -> None:
    def made() -> Inputs:
        return inputs(**CASES["everything"], prices=table([]), facts=Facts(namespace="ops"))

    assert collector.text(made()) == collector.text(made())
