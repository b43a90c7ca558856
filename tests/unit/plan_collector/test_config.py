"""The shape of the configuration: what stands where, and why it may not move."""

import re
from typing import Any

import pytest
import yaml
from llmobs.catalogue import inputs as accepted_inputs
from llmobs.catalogue import metadata, metrics
from llmobs.kit.durations import seconds
from llmobs.kit.errors import Invalid
from llmobs.plan import collector
from llmobs.plan.collector import series

from tests.collector.conftest import inputs

TO = {"backends": [{"name": "own", "otlp": {"endpoint": "https://otlp.example.com", "headers": {"X-Key": "a$b"}}}]}


def config(*args: Any, **given: Any) -> dict[str, Any]:
    return collector.bare_config(inputs(*args, **given))


def pipelines(**given: Any) -> dict[str, Any]:
    return config({"a/p": TO}, **given)["service"]["pipelines"]


def test_everything_stands_before_the_barrier_and_nothing_that_fails_behind_it() -> None:
    steps = pipelines()["traces/in"]["processors"]

    assert steps == [
        "memory_limiter",
        "transform/untrust",
        "k8s_attributes",
        "transform/policy",
        "transform/privacy",
        "transform/normalise",
        "transform/price",
        "transform/once",
        "transform/observe",
        "transform/runs",
        "batch/barrier",
    ]
    behind = [step for name, item in pipelines().items() if name != "traces/in" for step in item.get("processors", [])]
    assert "memory_limiter" not in behind


def test_content_is_removed_before_anything_can_leave() -> None:
    found = pipelines()

    assert found["traces/in"]["receivers"] == ["otlp"]
    assert [name for name, item in found.items() if "otlp" in item["receivers"]] == ["traces/in"]


def test_every_component_is_used_and_every_used_one_is_there() -> None:
    made = config({"a/p": TO})
    used = {kind: set() for kind in ("receivers", "processors", "exporters")}
    for item in made["service"]["pipelines"].values():
        for kind, names in used.items():
            names.update(item.get(kind, []))

    connectors = set(made["connectors"])
    assert used["processors"] == set(made["processors"])
    assert used["receivers"] - connectors == set(made["receivers"])
    assert used["exporters"] - connectors == set(made["exporters"])
    assert set(made["service"]["extensions"]) == set(made["extensions"])


def test_without_receivers_there_is_no_routing() -> None:
    made = config({"a/p": {}})

    assert "routing" not in made["connectors"]
    assert set(made["exporters"]) == {"prometheus"}
    assert {name for name in made["service"]["pipelines"] if name.startswith("traces/")} == {"traces/in"}


@pytest.mark.parametrize(
    ("image", "version", "release"),
    [
        ("docker.io/otel/opentelemetry-collector-contrib:0.158.0", "", (0, 158)),
        ("r.io:5000/otel/contrib:v0.165.1-amd64@sha256:0123", "", (0, 165)),
        ("r.io:5000/otel/contrib", "", (0, 158)),
        ("r.io/otel/contrib:latest", "", (0, 158)),
        ("r.io/otel/contrib:stable", "0.155", (0, 155)),
        ("r.io/otel/contrib:0.160.0", "0.157.2", (0, 157)),
        ("r.io/otel/contrib:1.2.0", "", (1, 2)),
    ],
)
def test_the_release_is_as_the_platform_or_the_tag_says(image: str, version: str, release: tuple[int, int]) -> None:
    settings = {"images": {"collector": image, "collectorVersion": version}}

    assert inputs(settings=settings).settings.images.release == release


@pytest.mark.parametrize(
    ("version", "names"),
    [
        ("0.155.0", {"signaltometrics", "deltatocumulative"}),
        ("0.156.0", {"signal_to_metrics", "deltatocumulative"}),
        ("0.157.0", {"signal_to_metrics", "deltatocumulative"}),
        ("0.158.0", {"signal_to_metrics", "delta_to_cumulative"}),
        ("0.165.0", {"signal_to_metrics", "delta_to_cumulative"}),
    ],
)
def test_an_older_release_is_spoken_to_in_its_own_names(version: str, names: set[str]) -> None:
    made = config({"a/p": TO}, settings={"images": {"collectorVersion": version}})
    defined = {item.partition("/")[0] for part in ("processors", "connectors") for item in made[part]}
    used = {item.partition("/")[0] for pipeline in made["service"]["pipelines"].values() for part in pipeline.values() for item in part}
    either = {"signaltometrics", "signal_to_metrics", "deltatocumulative", "delta_to_cumulative"}

    assert defined & either == used & either == names


def test_a_release_without_what_we_need_is_refused() -> None:
    with pytest.raises(Invalid, match=r"images\.collectorVersion: the collector must be of release 0\.155"):
        inputs(settings={"images": {"collector": "r.io/otel/contrib:0.154.0"}})


def test_dollars_are_doubled_but_ours() -> None:
    text = collector.text(inputs({"a/p": {**TO, "attributes": {"x": "${env:HOME}"}}}))
    expanded = re.findall(r"\$[^$]+", text.replace("$$", ""))

    assert "X-Key: a$$b" in text
    assert "$${env:HOME}" in text
    assert expanded
    assert all(item.startswith("${env:MY_POD_IP:-127.0.0.1}") for item in expanded)


def test_the_text_reads_back_as_the_data() -> None:
    given = inputs({"a/p": TO})

    assert yaml.safe_load(collector.text(given)) == collector.bare_config(given)


def test_series_have_the_names_of_the_catalogue() -> None:
    made = [item for sort in series.sorts(metrics.BOUNDS) for item in sort.series]
    listed = {value for name, value in vars(metrics).items() if isinstance(value, str) and re.fullmatch(r"[A-Z_]+", name)}

    assert {item.name for item in made} == {name for name in listed if name.startswith("llm_") and not name.startswith("llm_budget")}
    kinds = [dict(item.fixed)["token_type"] for item in made if item.name == metrics.TOKENS]
    assert tuple(kinds) == metrics.TOKEN_TYPES


def test_what_the_collector_writes_on_spans_is_deleted_from_what_clients_send() -> None:
    """A client sends nothing of ours but what the catalogue lists."""
    text = yaml.safe_dump(config())
    ours = set(re.findall(r'span\.attributes\["(llmobs\.[^"]+)"\]', text))
    accepted = {value for name, value in vars(accepted_inputs).items() if name.isupper() and isinstance(value, str)}
    summary = set(metadata.INPUTS) - accepted

    assert accepted < ours
    assert accepted < ours & set(metadata.known()) < accepted | summary
    assert all(re.search(metadata.RESERVED, name) for name in ours)


def test_every_threshold_is_a_bucket_bound() -> None:
    wanted = [
        {"name": f"o{index}", "latency": {"target": 0.9, "threshold": text}} for index, text in enumerate(("500ms", "5s", "1m30s", "10s"))
    ]
    made = config({"a/p": {"objectives": wanted[:2]}, "b/q": {"objectives": wanted[2:]}})
    spans = made["connectors"]["signal_to_metrics"]["spans"]
    [buckets] = [item["histogram"]["buckets"] for item in spans if item["name"] == "llm_call_duration"]

    assert {0.5, 5.0, 90.0, 10.0, *metrics.DURATION_BOUNDS} == set(buckets)
    assert buckets == sorted(buckets)


def test_a_series_expires_after_it_is_forgotten() -> None:
    assert config()["exporters"]["prometheus"]["metric_expiration"] == series.EXPIRED
    assert seconds(series.EXPIRED) - seconds(series.STALE) >= 120


def test_identity_is_the_connections_alone() -> None:
    found = config()["processors"]["k8s_attributes"]

    assert found["pod_association"] == [{"sources": [{"from": "connection"}]}]
    assert found["extract"]["deployment_name_from_replicaset"] is True


@pytest.mark.parametrize("count", [1, 3, 40])
def test_queues_share_what_memory_there_is(count: int) -> None:
    many = [{"name": f"n{index}", "otlp": {"endpoint": f"https://n{index}.example.com"}} for index in range(count)]
    policies = {f"s{index}/p": {"backends": [item]} for index, item in enumerate(many)}
    sizes = [item["sending_queue"]["queue_size"] for name, item in config(policies)["exporters"].items() if name != "prometheus"]

    assert len(sizes) == count
    assert set(sizes) == {max(2000, min(20_000, 40_000 // count))}
    for item in (item for name, item in config(policies)["exporters"].items() if name != "prometheus"):
        assert item["sending_queue"]["batch"]["min_size"] <= item["sending_queue"]["queue_size"]
        assert not item["sending_queue"].get("block_on_overflow")


def test_namespaces_fold_into_few_pipelines() -> None:
    fleet = {"destinations": [{"name": "shared", "otlp": {"endpoint": "https://shared.example.com"}}]}
    policies = {f"s{index}/p": {"backends": [{"name": "b", "destination": "shared"}]} for index in range(200)}
    made = config(policies, fleet=fleet)

    assert [row["pipelines"] for row in made["connectors"]["routing"]["table"]] == [["traces/to.shared"]]
    assert set(made["exporters"]) == {"prometheus", "otlp_http/shared"}


def test_one_name_for_two_receivers_is_told_apart() -> None:
    from llmobs.api import effective

    def fleet(name: str, space: str) -> effective.Fleet:
        to = {"name": "sink", "otlp": {"endpoint": f"https://{name}.example.com"}, "allowedNamespaces": {"matchLabels": {"n": space}}}
        return effective.fleet({"metadata": {"name": name}, "spec": {"destinations": [to]}})

    fleets = (fleet("one", "a"), fleet("two", "b"))
    spec = {"backends": [{"name": "x", "destination": "sink"}]}
    policies = tuple(
        effective.policy({"metadata": {"name": "p", "namespace": space}, "spec": spec}, fleets, {"n": space}) for space in ("a", "b")
    )
    given = inputs()
    made = collector.bare_config(type(given)(given.settings, given.facts, given.prices, policies, fleets))
    found = {name: item["endpoint"] for name, item in made["exporters"].items() if name != "prometheus"}

    assert len(found) == 2
    assert set(found.values()) == {"https://one.example.com", "https://two.example.com"}
    assert all(name.startswith("otlp_http/sink_") for name in found)
