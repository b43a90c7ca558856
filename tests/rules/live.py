"""A real Prometheus that scrapes a counter we turn, evaluates our rules every second, and is asked over HTTP."""

import datetime as dt
import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from llmobs.plan.inputs import Inputs
from llmobs.plan.rules import bare_groups

from tests.fakes.loopback import Answering, Loopback
from tests.rules.promtool import tool

OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Gateway:
    """Serves series as the collector's exporter does; ``down`` makes every scrape fail."""

    def __init__(self) -> None:
        self.series: dict[str, float] = {}
        self.down = False
        gateway = self

        class Handler(Answering):
            def do_GET(self) -> None:
                headers = {"Content-Type": OPEN_METRICS}
                self.answer(gateway.text().encode(), status=503 if gateway.down else 200, headers=headers)

        self.server = Loopback(Handler).begin()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    def text(self) -> str:
        return "".join(f"{name} {value}\n" for name, value in list(self.series.items())) + "# EOF\n"

    def add(self, name: str, amount: float) -> None:
        self.series[name] = round(self.series.get(name, 0) + amount, 6)


class Prometheus:
    """Its HTTP API."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **query: str) -> Any:
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)["data"]

    def value(self, expr: str) -> float | None:
        found = self.get("query", query=expr)["result"]
        return float(found[0]["value"][1]) if found else None

    def samples(self, expr: str) -> list[dict[str, str]]:
        return [item["metric"] for item in self.get("query", query=expr)["result"]]

    def history(self, expr: str, *, since: float) -> list[float]:
        found = self.get("query_range", query=expr, start=str(since), end=str(time.time()), step="1")["result"]
        return [float(value) for _, value in found[0]["values"]]

    def wait(self, said: str, holds: Callable[[], object], *, deadline: float = 180) -> None:
        """Ask until it holds; at the deadline fail with what was awaited."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            try:
                if holds():
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                pass
            threading.Event().wait(0.1)
        raise AssertionError(f"not within {deadline:g} s: {said}")


@contextmanager
def prometheus(folder: Path, inputs: Inputs, gateway: Gateway) -> Iterator[Prometheus]:
    """A Prometheus on loopback with the rules of ``inputs``; gone afterwards."""
    (folder / "rules.yaml").write_text(yaml.safe_dump(bare_groups(inputs), width=1000))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration(gateway.address)))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [tool("prometheus"), "--config.file=prometheus.yaml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    with (folder / "log").open("w") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            made = Prometheus(address)
            made.wait("Prometheus answers", lambda: made.value("vector(1)") == 1)
            yield made
        finally:
            process.terminate()


def configuration(target: str) -> Mapping[str, Any]:
    """The gateway as a PodMonitor would present it: the namespace label is the gateway's own."""
    labels = {"namespace": "llmobs-system", "pod": "llmobs-gateway-5f6d7-abcde"}
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "gateway", "static_configs": [{"targets": [target], "labels": labels}]}],
    }


def steady_period(today: dt.date) -> str:
    """A period that does not end at the coming midnight."""
    return "Week" if today.weekday() < 6 else "Month"
