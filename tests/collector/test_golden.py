"""Configurations as they are rendered, each accepted by the real collector. UPDATE_GOLDEN=1 writes them anew."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmobs.plan import collector
from llmobs.plan.collector import hashing
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable, Row, table

from tests.collector.conftest import FULL, inputs
from tests.collector.gateway import HASH_KEY

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
    "series-written": {
        "fleet": {
            "destinations": [
                {"name": "team", "prometheusremotewrite": {"url": "http://mimir.monitoring.svc:8080/api/v1/push"}},
                {
                    "name": "whole",
                    "allSeries": True,
                    "prometheusremotewrite": {
                        "url": "https://prometheus.example.com/api/prom/push",
                        "username": "4711",
                        "credentialsSecretRef": {"name": "whole"},
                        "headers": {"X-Scope-OrgID": "a$b"},
                        "externalLabels": {"region": "eu", "ha_group": "$1"},
                    },
                },
            ]
        },
        "policies": {"team-a/chat": {"backends": [{"name": "one", "destination": "team"}]}},
    },
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
            "team-a/search": {
                "attributes": {"team": "payments"},
                "content": {"capture": "Hash", "sampleRatio": 0.5, "userIds": "Hash"},
                "backends": [{"name": "one", "destination": "tempo"}],
            },
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
    return accepted_as([otelcol, "--config", str(path)], {**os.environ, hashing.KEY: HASH_KEY})


def accepted_as(arguments: list[str], environment: Mapping[str, str] | None = None) -> str:
    """What the collector says against what it would be started with; nothing when it takes it."""
    command = [arguments[0], "validate", *arguments[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)
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


def test_equal_inputs_make_equal_text() -> None:
    def made() -> Inputs:
        return inputs(**CASES["everything"], prices=table([]), facts=Facts(namespace="ops"))

    assert collector.text(made()) == collector.text(made())
