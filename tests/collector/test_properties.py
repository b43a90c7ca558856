"""Whatever valid resources say, the collector takes what is rendered from them."""

from dataclasses import MISSING, fields, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from llmobs.api.v1alpha1.collector import Collector, CollectorMode
from llmobs.catalogue.backends import CREDENTIALS, configs
from llmobs.kit.errors import Invalid
from llmobs.plan import collector

from tests.collector.beside import command
from tests.collector.conftest import FULL, inputs
from tests.collector.spec_strategies import DESTINATIONS, SPECS, TEXT
from tests.collector.test_golden import SMALL, accepted, accepted_as

KEYS = ("team-a/one", "team-a/two", "team-b/one")
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def policies(specs: list[dict[str, Any]], fleet: dict[str, Any]) -> dict[str, Any]:
    """The specs that the API takes under this fleet."""
    found = {}
    for key, spec in zip(KEYS, specs, strict=False):
        try:
            inputs({key: spec}, fleet=fleet, prices=SMALL)
        except Invalid:
            continue
        found[key] = spec
    return found


@settings(max_examples=12, derandomize=True, deadline=None, suppress_health_check=QUIET, phases=[Phase.generate])
@given(specs=st.lists(SPECS, min_size=1, max_size=len(KEYS)), destinations=DESTINATIONS, cluster=TEXT)
def test_the_collector_takes_it(
    otelcol: str, tmp_path_factory: pytest.TempPathFactory, specs: list[Any], destinations: list[Any], cluster: str
) -> None:
    fleet = {**FULL, "destinations": destinations}
    given_ = inputs(policies(specs, fleet), fleet=fleet, prices=SMALL, settings={"clusterName": cluster})
    path = tmp_path_factory.mktemp("property") / "config.yaml"
    path.write_text(collector.text(given_), encoding="utf-8")

    assert accepted(otelcol, path) == ""
    for policy in given_.policies[:1]:
        beside = replace(policy, spec=replace(policy.spec, collector=Collector(mode=CollectorMode.SIDECAR)))
        assert accepted_as(*command(otelcol, beside)) == ""


@pytest.mark.parametrize(
    "url", ["http://[0]", "https://[c:1::2:009BF0F3]", "https://[1:2]", "https://host/{}", "https://host/%zz", "https://host/\x7f"]
)
def test_what_the_collector_cannot_read_as_an_address_is_refused_at_the_field(url: str) -> None:
    """One such address would keep the gateway of everybody from starting."""
    with pytest.raises(Invalid) as refused:
        inputs({"a/p": {"backends": [{"name": "own", "otlp": {"endpoint": url, "insecure": True}}]}})

    assert refused.value.path == "spec.backends[0].otlp.endpoint"


def test_every_field_is_drawn() -> None:
    """The strategies follow the schemas; a field that they lost would never be tried."""
    seen: set[str] = set()

    @settings(max_examples=600, derandomize=True, deadline=None, suppress_health_check=[*HealthCheck], database=None)
    @given(SPECS)
    def draw(spec: dict[str, Any]) -> None:
        seen.update(spec)
        seen.update(key for item in spec.get("objectives", ()) for key in item)
        seen.update(key for item in spec.get("backends", ()) for key in item)
        seen.update(spec.get("agents", ()), spec.get("sampling", ()), spec.get("content", ()))

    draw()
    assert {"attributes", "backends", "objectives", "agents", "sampling", "content", "collector", "budgets", "alerts"} <= seen
    assert {"latency", "timeToFirstToken", "tokensPerSecond", "retrievalLatency", "maxToolRepeats", "keepLongerThan"} <= seen
    assert {"destination", *configs()} - needing_secrets() <= seen


def needing_secrets() -> set[str]:
    """The products that make no sense without a Secret, which only a gateway of the policy's own may use."""
    return {name for name, kind in configs().items() for item in fields(kind) if item.name == CREDENTIALS and item.default is MISSING}
