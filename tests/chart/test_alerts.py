"""The chart's own alerts, on the real promtool: each fires, and is silent when nothing is wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.chart.helm import manifests, one
from tests.rules.promtool import tool

pytestmark = pytest.mark.promtool

SERIES = {
    "LLMOperatorNotReconciling": ("llmobs_resync_timestamp_seconds", "0x400", "0+60x400"),
    "LLMWebhookCertificateExpiring": ("llmobs_admission_certificate_expiry_timestamp_seconds", f"{7 * 86400}x400", f"{60 * 86400}x400"),
}
"""By alert: the series, its values when something is wrong, and when nothing is."""


def fired(folder: Path, alert: str, series: str, values: str) -> subprocess.CompletedProcess[str]:
    spec = one(manifests("--set=monitoring.prometheusRule.enabled=true"), "PrometheusRule", "llmobs-operator")["spec"]
    assert {rule["alert"] for group in spec["groups"] for rule in group["rules"]} == set(SERIES)
    (folder / "rules.yaml").write_text(yaml.safe_dump(spec))
    found = {"eval_time": "3h", "alertname": alert, "exp_alerts": []}
    case = {"interval": "1m", "input_series": [{"series": series, "values": values}], "alert_rule_test": [found]}
    (folder / "test.yaml").write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]}))
    return subprocess.run([tool("promtool"), "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("alert", SERIES)
def test_an_alert_of_the_chart_fires_and_is_silent(alert: str, tmp_path: Path) -> None:
    series, wrong, right = SERIES[alert]
    assert fired(tmp_path, alert, series, right).returncode == 0
    told = fired(tmp_path, alert, series, wrong)
    assert told.returncode != 0
    assert f'alertname="{alert}"' in told.stdout + told.stderr
