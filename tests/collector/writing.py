"""Real Prometheus servers that take remote writes, and one that reads a gateway as its PodMonitor lets it."""

import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.rules.live import Prometheus
from tests.rules.promtool import tool

WRITE = "/api/v1/write"
LOOKBACK = 2
"""Seconds after which an impatient one forgets a series that nobody tells of. Rules need longer: they read what others recorded."""


@contextmanager
def prometheus(
    folder: Path, *, rules: Mapping[str, Any] | None = None, jobs: Sequence[Mapping[str, Any]] = (), impatient: bool = False
) -> Iterator[Prometheus]:
    """A Prometheus on loopback that takes remote writes; gone afterwards."""
    folder.mkdir()
    (folder / "rules.yaml").write_text(yaml.safe_dump(dict(rules or {"groups": []}), width=1000))
    config = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}, "rule_files": ["rules.yaml"]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump({**config, "scrape_configs": list(jobs)}))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    asked = ["--web.enable-remote-write-receiver", f"--web.listen-address={address}"]
    asked += [f"--query.lookback-delta={LOOKBACK}s"] if impatient else []
    command = [tool("prometheus"), "--config.file=prometheus.yaml", "--storage.tsdb.path=data", *asked]
    with (folder / "log").open("w") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            made = Prometheus(address)
            made.wait("Prometheus answers", lambda: made.value("vector(1)") == 1)
            yield made
        finally:
            process.terminate()


def podmonitored(monitor: Mapping[str, Any], ports: Mapping[str, int], pod: str) -> dict[str, Any]:
    """The job that prometheus-operator makes of a gateway's PodMonitor."""
    spec, labels = monitor["spec"], {"namespace": monitor["metadata"]["namespace"], "pod": pod, "container": "collector"}
    pages = {"metrics": ports["metrics"], "self-metrics": ports["self"]}
    groups = [
        {"targets": [f"127.0.0.1:{pages[item['port']]}"], "labels": {**labels, "endpoint": item["port"]}}
        for item in spec["podMetricsEndpoints"]
    ]
    name = f"{labels['namespace']}/{monitor['metadata']['name']}"
    return {"job_name": name, "scrape_protocols": spec["scrapeProtocols"], "static_configs": groups}
