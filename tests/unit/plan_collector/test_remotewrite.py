"""Which receivers get whose series, and how the gateway is read for them."""

from dataclasses import replace
from typing import Any

import pytest
from llmobs.api.effective import fleet, policy
from llmobs.api.v1alpha1.backends import Backend
from llmobs.api.v1alpha1.fleet import Destination
from llmobs.kit.decode import decode
from llmobs.kit.errors import Invalid
from llmobs.plan import collector
from llmobs.plan.collector.remotewrite import writers
from llmobs.plan.inputs import Inputs
from llmobs.prices.table import PriceTable, Row

from tests.collector.conftest import inputs

URL = "https://mimir.example.com/api/v1/push"
SMALL = PriceTable({"m": Row("m", 1, 2, 1, 1, 2)})


def offered(name: str, url: str = URL, *, secret: str = "", **more: Any) -> dict[str, Any]:
    proof = {"credentialsSecretRef": {"name": secret}} if secret else {}
    return {"name": name, "prometheusremotewrite": {"url": url, **proof}, **more}


def asking(*names: str) -> dict[str, Any]:
    return {"backends": [{"name": name, "destination": name} for name in names]}


def made(policies: dict[str, Any], *destinations: dict[str, Any]) -> Inputs:
    return inputs(policies, fleet={"destinations": list(destinations)}, prices=SMALL)


def whose(found: Inputs, *, alone: bool = False) -> dict[str, tuple[str, ...]]:
    return {writer.sink.handle: writer.namespaces for writer in writers(found, alone=alone)}


def refused(spec: dict[str, Any]) -> Invalid:
    with pytest.raises(Invalid) as caught:
        decode(Backend, {"name": "b", "prometheusremotewrite": spec})
    return caught.value


def test_a_receiver_gets_the_namespaces_that_name_it() -> None:
    found = made({"a/p": asking("x"), "a/q": {}, "b/p": asking("x", "y"), "c/p": {}}, offered("x"), offered("y", f"{URL}/y"), offered("z"))

    assert whose(found) == {"x": ("a", "b"), "y": ("b",)}
    [job] = collector.bare_config(found)["receivers"]["prometheus/x"]["config"]["scrape_configs"]
    assert job["metric_relabel_configs"] == [{"source_labels": ["k8s_namespace"], "regex": "a|b", "action": "keep"}]
    assert [page["labels"]["endpoint"] for page in job["static_configs"]] == ["metrics"]


def test_one_that_gets_everything_gets_it_once_and_the_gateways_own() -> None:
    found = made({"a/p": asking("x", "same")}, offered("x", allSeries=True), offered("same"))

    assert whose(found) == {"x": ()}
    [job] = collector.bare_config(found)["receivers"]["prometheus/x"]["config"]["scrape_configs"]
    assert [page["labels"]["endpoint"] for page in job["static_configs"]] == ["metrics", "self-metrics"]


def test_everything_goes_out_without_any_policy() -> None:
    config = collector.bare_config(made({}, offered("x", allSeries=True)))

    assert config["service"]["pipelines"]["metrics/write.x"]["exporters"] == ["prometheus_remote_write/x"]


def test_two_receivers_of_one_name_are_two() -> None:
    """Of two resources that offer a name, the first one's applies; a policy accepted earlier may still hold the other's."""
    first, second = made({"a/p": asking("x")}, offered("x", f"{URL}/old")), made({}, offered("x", allSeries=True))

    both = whose(replace(second, policies=first.policies))

    assert both["x"] == ("a",)
    assert sorted(both.values()) == [(), ("a",)]


def test_a_gateway_of_one_policy_tells_nothing_of_all() -> None:
    found = made({"a/p": asking("x")}, offered("x"), offered("all", f"{URL}/all", allSeries=True))

    assert whose(found) == {"all": (), "x": ("a",)}
    assert whose(found, alone=True) == {"x": ("a",)}


def test_series_are_no_traces() -> None:
    config = collector.bare_config(made({"a/p": asking("x")}, offered("x")))

    assert [name for name in config["service"]["pipelines"] if name.startswith("traces/")] == ["traces/in"]
    assert "routing" not in config["connectors"]


def test_the_pod_gets_the_secret_and_knows_its_name() -> None:
    all_ = offered("all", f"{URL}/all", secret="whole", allSeries=True)
    [part] = collector.parts(made({"a/p": asking("x")}, offered("x", secret="mimir"), all_))
    [pod] = [item["spec"]["template"]["spec"] for item in part.manifests if item["kind"] == "Deployment"]

    assert [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume] == ["whole", "mimir"]
    for container in (*pod["initContainers"], *pod["containers"]):
        assert {"name": "MY_POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}} in container["env"]


def test_a_pod_that_writes_nothing_is_not_changed() -> None:
    [part] = collector.parts(made({"a/p": {}}))

    assert "MY_POD_NAME" not in str(part.manifests)


def test_the_gateway_of_a_policy_is_read_under_its_own_name() -> None:
    spec = {"collector": {"mode": "Dedicated"}, "backends": [offered("own", secret="mimir")]}
    found = inputs({"a/p": spec}, prices=SMALL, settings={"dedicated": {"enabled": True}})
    [part] = collector.policy_parts(found, found.policies[0])
    [text] = [item["data"]["config.yaml"] for item in part.manifests if item["kind"] == "ConfigMap"]

    assert "job_name: a/llmobs-gateway-p\n" in text
    assert "regex: a\n" in text
    assert [item for item in part.manifests if item["kind"] == "Deployment" and "secretName': 'mimir'" in str(item)]


@pytest.mark.parametrize(
    ("change", "path", "said"),
    [
        ({"url": "https://mimir.example.com"}, "url", "give the whole URL"),
        ({"url": "https://mimir.example.com/"}, "url", "give the whole URL"),
        ({"url": "https://mimir.example.com/otlp/v1/metrics"}, "url", "OTLP"),
        ({"url": "https://user:pass@mimir.example.com/api/v1/push"}, "url", "does not match"),
        ({"url": "http://mimir.example.com/api/v1/push"}, "url", "clear text"),
        ({"username": "me"}, "username", "credentialsSecretRef"),
        ({"externalLabels": {"no-dash": "x"}}, "externalLabels", "underscore"),
        ({"externalLabels": {"__name__": "x"}}, "externalLabels", "underscore"),
    ],
)
def test_bad_input_is_refused_at_its_field(change: dict[str, Any], path: str, said: str) -> None:
    finding = refused({"url": URL, **change})

    assert finding.path == f"prometheusremotewrite.{path}"
    assert said in finding.message


@pytest.mark.parametrize("url", ["http://thanos-receive.monitoring.svc:19291/api/v1/receive", "http://localhost:9090/api/v1/write"])
def test_clear_text_inside_the_cluster_is_taken(url: str) -> None:
    decode(Backend, {"name": "b", "prometheusremotewrite": {"url": url}})


def test_all_series_are_for_receivers_of_series() -> None:
    with pytest.raises(Invalid, match="prometheusremotewrite"):
        decode(Destination, {"name": "x", "otlp": {"endpoint": "https://otlp.example.com"}, "allSeries": True})


@pytest.mark.parametrize("secret", ["", "mimir"])
def test_a_receiver_of_ones_own_needs_a_gateway_of_ones_own(secret: str) -> None:
    spec = {"backends": [offered("own", secret=secret)]}

    with pytest.raises(Invalid, match="Dedicated"):
        policy({"metadata": {"name": "p", "namespace": "a"}, "spec": spec}, (), {})


def test_where_gateways_of_ones_own_are_not_offered_it_is_left_out_and_said_so() -> None:
    spec = {"collector": {"mode": "Dedicated"}, "backends": [offered("own")]}
    limited = fleet({"metadata": {"name": "f"}, "spec": {"limits": {"collectorModes": ["Shared"]}}})

    found = policy({"metadata": {"name": "p", "namespace": "a"}, "spec": spec}, (limited,), {})

    assert found.spec.backends == ()
    assert "for series are left out" in " ".join(found.restrictions)
