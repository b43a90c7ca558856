"""Which gateways take metrics at all."""

from collections.abc import Mapping
from typing import Any

from llmobs.plan import collector
from llmobs.plan.collector.site import dedicated

from tests.collector.conftest import inputs
from tests.collector.test_golden import SMALL

METRICS = {"collector": {"source": "Metrics"}}


def test_a_gateway_takes_metrics_for_those_it_serves_alone() -> None:
    own = {"collector": {"mode": "Dedicated", "source": "Metrics"}}
    given = inputs({"a/own": own, "a/other": {}, "b/p": {}}, prices=SMALL)
    [policy] = [item for item in given.policies if item.spec.collector.metered]

    assert "metrics/in" in collector.bare_config(dedicated(given, policy).inputs, namespace="a")["service"]["pipelines"]
    assert "metrics/in" not in collector.bare_config(given)["service"]["pipelines"]


def test_without_such_a_policy_the_whole_configuration_knows_no_metrics() -> None:
    def rendered(spec: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = collector.bare_config(inputs({"a/p": spec}, prices=SMALL))
        return found

    assert "metrics/in" in rendered(METRICS)["service"]["pipelines"]
    assert "metrics/in" not in rendered({})["service"]["pipelines"]
    assert "metric_conditions" not in str(rendered({}))
