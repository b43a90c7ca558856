"""Every alert of the catalogue fires and stays silent as its file says, on the real promtool, with every word of it."""

from pathlib import Path

import pytest
from llmobs.catalogue.alert import Alert, Case, Expected, Scope, alerts
from llmobs.plan.dashboards.names import dashboard_uid

from tests.rules.promtool import GRAFANA, Scenario, policy, prove

pytestmark = pytest.mark.promtool


def scenario(alert: Alert, case: Case) -> Scenario:
    made = Scenario(name=case.name, policies=[policy(case.spec)], series=case.series, start=case.start, step=case.step)
    return made.fires(case.at, alert.name, *(instance(alert, expected) for expected in case.fires))


def instance(alert: Alert, expected: Expected) -> dict[str, dict[str, str]]:
    own = dashboard_uid("namespace", "team-a", "checkout")
    uid = own if alert.dashboard == "namespace" and alert.scope is Scope.POLICY else dashboard_uid("fleet")
    return {
        "exp_labels": {"severity": expected.severity.value, **expected.labels},
        "exp_annotations": {
            "summary": alert.summary,
            "description": " ".join(expected.description.split()),
            "runbook_url": f"https://llmobs.dev/runbooks/{alert.name}",
            "dashboard_url": f"{GRAFANA}/d/{uid}",
        },
    }


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_alert_fires_and_stays_silent(alert: Alert, tmp_path: Path) -> None:
    prove(tmp_path, *(scenario(alert, case) for case in alert.tests))
