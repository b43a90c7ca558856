"""Runs the real promtool on rendered rules: checks them, and tests them against series."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from llmobs.api.effective import Policy
from llmobs.api.effective import policy as effective
from llmobs.api.settings import Gateway, Rules, Settings
from llmobs.plan.inputs import Facts, Inputs
from llmobs.plan.rules import bare_groups, check
from llmobs.prices.table import PriceTable, Row

ROOT = Path(__file__).parents[2]
GRAFANA = "https://grafana.example"

PRICES = PriceTable(rows={name: Row("gpt-4o", 2.5, 10, 1.25, 2.5, 10) for name in ("gpt-4o", "my-azure-deployment")})

COST = '{name}{{k8s_namespace="{namespace}",k8s_workload="{workload}",provider="openai",model="{model}"{more}}}'


@cache
def tool(name: str) -> str:
    """The path of a test binary; the test that asks is skipped where it has not been built."""
    if given := os.environ.get(name.upper()):
        return given
    asked = [sys.executable, str(ROOT / "tools/build.py"), "--which", name]
    path = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not path or not Path(path).exists():
        pytest.skip(f"{name} is not built: run `make tools`")
    return path


def policy(spec: Mapping[str, Any] | None = None, *, name: str = "checkout", namespace: str = "team-a") -> Policy:
    """A policy as the API would parse it, checked as the controller does."""
    body = {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{namespace}-{name}"}, "spec": dict(spec or {})}
    made = effective(body, (), {})
    check(made)
    return made


def inputs(*policies: Policy, tile: str = "5m", scrape: str = "30s") -> Inputs:
    settings = Settings(rules=Rules(tile=tile, dashboard_url=GRAFANA), gateway=Gateway(scrape_interval=scrape))
    return Inputs(settings=settings, facts=Facts(), prices=PRICES, policies=policies)


def cost(namespace: str = "team-a", workload: str = "chat", model: str = "gpt-4o", **more: str) -> str:
    """The name of a raw cost series; with an ``agent`` that of the agents' money."""
    name = "llm_agent_cost_usd_total" if "agent" in more else "llm_cost_usd_total"
    return COST.format(
        name=name, namespace=namespace, workload=workload, model=model, more="".join(f',{key}="{value}"' for key, value in more.items())
    )


@dataclass
class Scenario:
    """Series in; expressions and alerts out, at moments counted from the start."""

    name: str
    policies: Sequence[Policy] = ()
    series: Mapping[str, str] = field(default_factory=dict)
    start: str = "2026-11-10T00:00:00Z"
    step: str = "1m"
    every: str = "1m"
    tile: str = "5m"
    groups: Sequence[str] = ()
    """Only these groups, for long scenarios; a policy's own are always there."""
    expects: list[dict[str, Any]] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def expect(self, at: str, expr: str, samples: Mapping[str, float]) -> "Scenario":
        """At ``at`` the expression has exactly these samples, by their labels in promtool's notation; money to a hundredth of a cent."""
        found = [{"labels": labels, "value": value} for labels, value in samples.items()]
        self.expects.append({"expr": expr, "eval_time": at, "exp_samples": found})
        return self

    def fires(self, at: str, alert: str, *expected: Mapping[str, Any]) -> "Scenario":
        """At ``at`` the alert fires exactly like this; without ``expected`` it is silent."""
        self.alerts.append({"eval_time": at, "alertname": alert, "exp_alerts": list(expected)})
        return self

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        document = bare_groups(inputs(*self.policies, tile=self.tile))
        if self.groups:
            kept = [group for group in document["groups"] if group["name"] in self.groups or group["name"].startswith("llmobs/")]
            document = {"groups": kept}
        (folder / "rules.yaml").write_text(yaml.safe_dump(document, width=1000))
        order = sorted((group["name"] for group in document["groups"]), key=lambda name: not name.startswith("llmobs/"))
        test = {
            "name": self.name,
            "interval": self.step,
            "start_timestamp": self.start,
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "promql_expr_test": self.expects,
            "alert_rule_test": self.alerts,
        }
        path = folder / "test.yaml"
        document = {
            "rule_files": ["rules.yaml"],
            "evaluation_interval": self.every,
            "group_eval_order": order,
            "fuzzy_compare": True,
            "tests": [test],
        }
        path.write_text(yaml.safe_dump(document, width=1000))
        return path


def prove(folder: Path, *scenarios: Scenario) -> None:
    """Fail with promtool's own words unless every scenario holds."""
    files = [scenario.write(folder / str(index)) for index, scenario in enumerate(scenarios)]
    ran = subprocess.run([tool("promtool"), "test", "rules", *files], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert ran.stdout.count("SUCCESS") == len(files), ran.stdout


def accept(folder: Path, *documents: Mapping[str, Any]) -> None:
    """Fail with promtool's own words unless it takes every document of rule groups, without duplicates."""
    files = []
    for index, document in enumerate(documents):
        path = folder / f"rules-{index}.yaml"
        path.write_text(yaml.safe_dump(dict(document), width=1000))
        files.append(path)
    ran = subprocess.run(
        [tool("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
