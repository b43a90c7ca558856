"""The real otelcol with a rendered configuration that is changed at its edges only."""

import copy
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from llmobs.plan import collector
from llmobs.plan.collector import hashing
from llmobs.plan.inputs import Inputs
from prometheus_client.parser import text_string_to_metric_families

from tests.collector import points
from tests.collector.spans import export

DEADLINE = 180.0

HASH_KEY = "0" * 63 + "1"
"""The key of all gateways here; a collector that took it for a number would hash by another."""

STAND_IN = "transform/stand_in"
PEER = "peer."


def stand_in(identity: Mapping[str, Any]) -> dict[str, Any]:
    """In place of k8s_attributes, which needs an API server.

    What that processor knows of the connection, a test sends as ``peer.k8s.namespace.name`` and so on. Like the real one it fills in
    only what is absent, so that a forged value would stay if nothing had deleted it before.
    """
    known = [*identity["extract"]["metadata"], *(item["tag_name"] for item in identity["extract"]["annotations"])]
    fill = [
        f'set(resource.attributes["{key}"], resource.attributes["{PEER}{key}"]) where resource.attributes["{key}"] == nil' for key in known
    ]
    forget = f'delete_matching_keys(resource.attributes, "^{PEER[:-1]}[.]")'
    statements = [{"context": "resource", "statements": [*fill, forget]}]
    return {"error_mode": "silent", "trace_statements": statements, "metric_statements": statements}


def at_its_edges(rendered: Mapping[str, Any], ports: Mapping[str, int], *, api_server: bool, readable: bool) -> dict[str, Any]:
    """The configuration for this machine: free ports, the stand-in unless there is an API server; ``readable``: JSON goes out."""
    config = copy.deepcopy(dict(rendered))
    listen = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    config["extensions"]["health_check"]["endpoint"] = listen["health"]
    config["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] = listen["grpc"]
    config["receivers"]["otlp"]["protocols"]["http"]["endpoint"] = listen["http"]
    config["exporters"]["prometheus"]["endpoint"] = listen["metrics"]
    config["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"].update(host="127.0.0.1", port=ports["self"])
    pages = {"metrics": listen["metrics"], "self-metrics": listen["self"]}
    for name, settings in config["receivers"].items():
        for job in settings["config"]["scrape_configs"] if name.startswith("prometheus/") else ():
            for page in job["static_configs"]:
                page["targets"] = [pages[page["labels"]["endpoint"]]]
    if api_server:
        for name in config["processors"]:
            if name.partition("/")[0] == "k8s_attributes":
                config["processors"][name]["auth_type"] = "kubeConfig"
    else:
        config["processors"][STAND_IN] = stand_in(config["processors"].pop("k8s_attributes"))
        for name in {"traces/in", "metrics/in"} & config["service"]["pipelines"].keys():
            steps = config["service"]["pipelines"][name]["processors"]
            steps[steps.index("k8s_attributes")] = STAND_IN
    for name, settings in config["exporters"].items():
        if name.startswith("otlp_http/"):
            settings.update({"encoding": "json"} if readable else {}, compression="none")
    return config


class Gateway:
    """A running collector."""

    def __init__(
        self,
        otelcol: str,
        folder: Path,
        inputs: Inputs,
        *,
        credentials: Mapping[str, str] | None = None,
        kubeconfig: Path | None = None,
        readable: bool = True,
        change: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        text = json.dumps(collector.bare_config(inputs))
        for place, real in (credentials or {}).items():
            text = text.replace(place, real)
        self.rendered = json.loads(text)
        change(self.rendered)
        self._otelcol, self._folder, self._kubeconfig, self._readable = otelcol, folder, kubeconfig, readable
        self._log = folder / "otelcol.log"

    def __enter__(self) -> Self:
        for attempt in range(3):
            if self._started():
                return self
            said = self._log.read_text()
            assert "address already in use" in said, f"otelcol did not start (attempt {attempt + 1}):\n{said[-4000:]}"
        raise AssertionError("no free port in three attempts")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=DEADLINE)

    def kill(self) -> None:
        """End it as the kernel does when memory runs out."""
        self.process.kill()
        self.process.wait(timeout=DEADLINE)

    def _started(self) -> bool:
        self.ports = dict(zip(("http", "grpc", "metrics", "self", "health"), free_ports(5), strict=True))
        path = self._folder / "config.yaml"
        config = at_its_edges(self.rendered, self.ports, api_server=self._kubeconfig is not None, readable=self._readable)
        path.write_text(json.dumps(config))
        environment = {**os.environ, hashing.KEY: HASH_KEY, **({"KUBECONFIG": str(self._kubeconfig)} if self._kubeconfig else {})}
        with self._log.open("w") as log:
            self.process = subprocess.Popen([self._otelcol, "--config", str(path)], stdout=log, stderr=log, env=environment)
        return until(lambda: self.process.poll() is not None or self._healthy()) and self.process.poll() is None

    def _healthy(self) -> bool:
        try:
            return bool(get(f"http://127.0.0.1:{self.ports['health']}/"))
        except OSError:
            return False

    def send(
        self,
        *spans: Mapping[str, Any],
        namespace: str,
        workload: str = "app",
        resource: Mapping[str, Any] | None = None,
        **scoped: Any,
    ) -> None:
        """One request with these spans, from a pod of that namespace and Deployment; others are of the scope."""
        self.post(export({**_peer(namespace, workload), "service.name": "svc", **(resource or {})}, spans, **scoped))

    def measure(
        self, *metrics: Mapping[str, Any], namespace: str, workload: str = "app", resource: Mapping[str, Any] | None = None, **scoped: Any
    ) -> None:
        """The same with metrics."""
        known = {**_peer(namespace, workload), "service.name": "svc", **(resource or {})}
        self.post(points.export(known, metrics, **scoped), "/v1/metrics")

    def post(self, body: Mapping[str, Any], path: str = "/v1/traces", *, source: str = "127.0.0.1") -> None:
        """One OTLP/HTTP JSON request from a loopback address, which must succeed; lone surrogates stand for bytes that are no text."""
        connection = HTTPConnection("127.0.0.1", self.ports["http"], timeout=DEADLINE, source_address=(source, 0))
        with closing(connection):
            raw = json.dumps(body, ensure_ascii=False).encode(errors="surrogateescape")
            connection.request("POST", path, raw, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read().decode()
        if answer.status != 200:
            raise OSError(f"{answer.status} {said}")

    def samples(self, name: str, /, **labels: str) -> list[tuple[dict[str, str], float]]:
        """The samples of a series whose labels include these."""
        text = get(f"http://127.0.0.1:{self.ports['metrics']}/metrics")
        found = [sample for family in text_string_to_metric_families(text) for sample in family.samples if sample.name == name]
        return [(sample.labels, sample.value) for sample in found if labels.items() <= sample.labels.items()]

    def value(self, name: str, /, **labels: str) -> float:
        """The sum of these samples; 0 without any."""
        return sum(value for _, value in self.samples(name, **labels))

    def calls(self, namespace: str, count: int) -> None:
        """Wait until that many calls of a namespace are counted. What was sent before them is counted too: requests stay in order."""
        enough = until(lambda: self.value("llm_calls_total", k8s_namespace=namespace) >= count)
        assert enough, self.samples("llm_calls_total")

    def own(self, name: str, **labels: str) -> float:
        """The sum of one of the collector's own series, under the name that it exposes; the parser adds _total to a counter's."""
        text = get(f"http://127.0.0.1:{self.ports['self']}/metrics")
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(item.value for item in samples if item.name in (name, f"{name}_total") and labels.items() <= item.labels.items())


def _peer(namespace: str, workload: str) -> dict[str, str]:
    peer = {f"{PEER}k8s.namespace.name": namespace, f"{PEER}k8s.deployment.name": workload}
    return {key: value for key, value in peer.items() if value}


def get(url: str) -> str:
    """The body of a page."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def until(holds: Callable[[], bool], seconds: float = DEADLINE) -> bool:
    """Look again and again until the condition holds; False when it did not in time."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listened on a moment ago."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(item.getsockname()[1]) for item in sockets]
    for item in sockets:
        item.close()
    return ports
