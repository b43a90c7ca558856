"""Every backend's request as it leaves the real collector: path, headers, encoding; and a credential that is rotated."""

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from llmobs.catalogue.backends import backends
from llmobs.plan import collector
from llmobs.plan.collector.sinks import CREDENTIALS

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, span
from tests.collector.test_golden import accepted
from tests.fakes.loopback import Answering, Loopback

KEY = "key-in-secret"


class Request(NamedTuple):
    """What a backend was sent."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Recorder(Loopback):
    """Takes anything; the first part of a path names the backend it is meant for."""

    def __init__(self) -> None:
        self.requests: dict[str, list[Request]] = {}
        super().__init__(_Handler)


class _Handler(Answering):
    server: Recorder

    def do_POST(self) -> None:
        body = self.body()
        _, name, path = self.path.split("/", 2)
        self.server.requests.setdefault(name, []).append(Request(f"/{path}", self.named(), body))
        self.answer()


def destinations() -> list[dict[str, Any]]:
    return [{"name": name, name: module.EXAMPLE} for name, module in backends().items()]


def everything() -> Any:
    specs = {f"team/{name}": {"backends": [{"name": "b", "destination": name}]} for name in backends()}
    together = {"all/p": {"backends": [{"name": name, "destination": name} for name in list(backends())[:16]]}}
    rest = {"rest/p": {"backends": [{"name": name, "destination": name} for name in list(backends())[16:]]}}
    return inputs({**specs, **together, **rest}, fleet={"destinations": destinations()}, settings={"gateway": {"scrapeInterval": "1s"}})


class Place:
    """One gateway with every backend's example, each sent to the recorder instead of the host it names."""

    def __init__(self, otelcol: str, folder: Path, recorder: Recorder) -> None:
        self.recorder, self.folder, self.hosts = recorder, folder, {}
        for name, module in backends().items():
            ref = module.EXAMPLE.get("credentialsSecretRef")
            if ref:
                (folder / name).mkdir()
                (folder / name / ref.get("key", "token")).write_text(f"{KEY}-{name}\n")
        self.gateway = Gateway(otelcol, folder, everything(), credentials={CREDENTIALS: str(folder)}, readable=False)
        for key, settings in self.gateway.rendered["exporters"].items():
            _, _, name = key.partition("/")
            if name in backends():
                field = "endpoint" if "endpoint" in settings else "traces_endpoint"
                address = urlsplit(settings[field])
                self.hosts[name] = f"{address.scheme}://{address.netloc}"
                settings[field] = f"http://127.0.0.1:{recorder.server_address[1]}/{name}{address.path}"

    def request(self, name: str) -> Request:
        assert until(lambda: bool(self.recorder.requests.get(name))), f"nothing arrived for {name}"
        return self.recorder.requests[name][-1]


@pytest.fixture(scope="module")
def place(otelcol: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with Recorder() as recorder:
        made = Place(otelcol, tmp_path_factory.mktemp("backends"), recorder)
        with made.gateway:
            for namespace in ("all", "rest"):
                made.gateway.send(span(current("gpt-4o", 10, 1)), namespace=namespace)
            yield made


def basic(user: str, name: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{KEY}-{name}".encode()).decode()


EXPECTED: dict[str, tuple[str, str, dict[str, str]]] = {
    "braintrust": ("https://api.braintrust.dev", "/otel/v1/traces", {"authorization": "Bearer {}", "x-bt-parent": "project_name:chat"}),
    "datadog": ("https://otlp.datadoghq.eu", "/v1/traces", {"dd-api-key": "{}", "dd-otlp-source": "llmobs"}),
    "dynatrace": ("https://abc12345.live.dynatrace.com", "/api/v2/otlp/v1/traces", {"authorization": "Api-Token {}"}),
    "grafanacloud": (
        "https://otlp-gateway-prod-us-east-0.grafana.net",
        "/otlp/v1/traces",
        {"authorization": basic("123456", "grafanacloud")},
    ),
    "helicone": ("https://api.helicone.ai", "/v1/trace/log", {"authorization": "Bearer {}"}),
    "honeycomb": ("https://api.eu1.honeycomb.io", "/v1/traces", {"x-honeycomb-team": "{}", "x-honeycomb-dataset": "llm"}),
    "hyperdx": ("https://in-otel.hyperdx.io", "/v1/traces", {"authorization": "{}"}),
    "jaeger": ("http://jaeger-collector.tracing.svc:4318", "/v1/traces", {}),
    "laminar": ("https://api.lmnr.ai", "/v1/traces", {"authorization": "Bearer {}"}),
    "langfuse": (
        "https://us.cloud.langfuse.com",
        "/api/public/otel/v1/traces",
        {"authorization": basic("pk-lf-example", "langfuse"), "x-langfuse-ingestion-version": "4"},
    ),
    "langsmith": ("https://eu.api.smith.langchain.com", "/otel/v1/traces", {"x-api-key": "{}", "langsmith-project": "chat"}),
    "newrelic": ("https://otlp.eu01.nr-data.net", "/v1/traces", {"api-key": "{}"}),
    "openlit": ("http://openlit.openlit.svc:4318", "/v1/traces", {}),
    "otlp": ("https://otlp.example.com", "/v1/traces", {"authorization": "Bearer {}", "x-scope-orgid": "llm"}),
    "phoenix": ("http://phoenix.phoenix.svc:6006", "/v1/traces", {"authorization": "Bearer {}"}),
    "prometheusremotewrite": (
        "https://mimir.example.com",
        "/api/v1/push",
        {
            "authorization": basic("123456", "prometheusremotewrite"),
            "x-scope-orgid": "llm",
            "x-prometheus-remote-write-version": "0.1.0",
        },
    ),
    "signoz": ("https://ingest.in.signoz.cloud:443", "/v1/traces", {"signoz-ingestion-key": "{}"}),
    "tempo": ("http://tempo-distributor.tracing.svc:4318", "/v1/traces", {"authorization": "Bearer {}", "x-scope-orgid": "llm"}),
    "traceloop": ("https://api.traceloop.com", "/v1/traces", {"authorization": "Bearer {}"}),
    "weave": ("https://trace.wandb.ai", "/otel/v1/traces", {"wandb-api-key": "{}"}),
}

PLAIN = {"host", "user-agent", "content-length", "content-type", "content-encoding", "accept-encoding"}


def test_every_backend_has_its_expectation() -> None:
    assert set(EXPECTED) == set(backends())


@pytest.mark.parametrize("name", EXPECTED)
def test_the_request_is_what_the_backend_documents(place: Place, name: str) -> None:
    host, path, headers = EXPECTED[name]
    found = place.request(name)

    assert place.hosts[name] == host
    assert found.path == path
    assert {key: value for key, value in found.headers.items() if key not in PLAIN} == {
        key: value.format(f"{KEY}-{name}") for key, value in headers.items()
    }


def test_helicone_gets_json_and_the_others_protobuf(place: Place) -> None:
    kinds = {name: dict(place.request(name).headers)["content-type"] for name in EXPECTED}

    assert kinds.pop("helicone") == "application/json"
    assert set(kinds.values()) == {"application/x-protobuf"}


def test_no_request_is_larger_than_its_receiver_takes(place: Place) -> None:
    notes = {f"my.note.{index}": "n" * 900 for index in range(10)}
    spans = [span({**current("gpt-4o", 10, 1), **notes}) for _ in range(300)]
    for name in ("newrelic", "otlp"):
        place.request(name)

    for _ in range(2):
        for namespace in ("all", "rest"):
            place.gateway.send(*spans, namespace=namespace)

    def sizes(name: str) -> list[int]:
        return [len(request.body) for request in place.recorder.requests[name]]

    assert until(lambda: all(sum(sizes(name)) > 2 * 300 * 9_000 for name in ("newrelic", "otlp")))
    assert max(sizes("newrelic")) < 1_000_000 < max(sizes("otlp"))


def test_resource_attributes_of_one_receiver_reach_no_other(place: Place) -> None:
    rendered = place.gateway.rendered
    marks = json.dumps(rendered["processors"])

    assert '\\"wandb.entity\\"' in marks
    assert '\\"openinference.project.name\\"' in marks
    bodies = {name: place.request(name).body for name in EXPECTED}
    assert [name for name, body in bodies.items() if b"wandb.project" in body] == ["weave"]
    assert [name for name, body in bodies.items() if b"openinference.project.name" in body] == ["phoenix"]


@pytest.mark.parametrize(
    ("name", "header"), [("weave", "wandb-api-key"), ("langfuse", "authorization"), ("prometheusremotewrite", "authorization")]
)
def test_a_rotated_credential_is_used_without_a_restart(place: Place, name: str, header: str) -> None:
    place.request(name)
    [path] = (place.folder / name).iterdir()
    before = place.request(name).headers[header]
    fresh = path.with_suffix(".fresh")
    fresh.write_text("rotated")
    fresh.rename(path)  # as the kubelet does: another file under the same name

    def arrived() -> bool:
        place.gateway.send(span(current("gpt-4o", 10, 1)), namespace="all")
        place.gateway.send(span(current("gpt-4o", 10, 1)), namespace="rest")
        return place.recorder.requests[name][-1].headers[header] != before

    assert until(arrived)


def test_every_example_is_accepted_by_the_collector(otelcol: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(collector.text(everything()))

    assert accepted(otelcol, tmp_path / "config.yaml") == ""
