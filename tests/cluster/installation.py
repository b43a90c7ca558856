"""The chart's objects on a real API server, and the controller run with exactly the rights that they give."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml

from tests.cluster.apiserver import ROOT, ApiServer, Process, binary, free_port, until
from tests.fakes.loopback import Answering, Loopback

SYSTEM = "llmobs-system"
CHART = ROOT / "charts" / "llm-observability-operator"
LLMOBS = str(Path(sys.executable).with_name("llmobs"))


def rendered(*options: str) -> list[dict[str, Any]]:
    """The chart's manifests."""
    command = [binary("helm"), "template", "llmobs", str(CHART), "--namespace", SYSTEM, *options]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [item for item in yaml.safe_load_all(text) if item]


def install(server: ApiServer, folder: Path, *options: str) -> None:
    """Apply the chart without its webhook configuration; nothing runs, there is no kubelet."""
    server.create("/api/v1/namespaces", {"metadata": {"name": SYSTEM}})
    manifests = [item for item in rendered(*options) if item["kind"] != "MutatingWebhookConfiguration"]
    path = folder / "chart.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    command = [binary("kubectl"), f"--kubeconfig={server.kubeconfig()}", "apply", "--server-side", "-f", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    until("our kinds are served", lambda: server.get("/apis/llmobs.dev/v1alpha1/llmobservabilities") is not None)


def account(server: ApiServer, name: str) -> Path:
    """A kubeconfig of a service account of the chart."""
    path = f"/api/v1/namespaces/{SYSTEM}/serviceaccounts/{name}/token"
    made = server.create(path, {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}})
    return server.kubeconfig(token=made["status"]["token"], name=name)


class Prometheus:
    """Answers instant queries: what a test put in, by a part of the query's text."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[dict[str, str], float]]] = {}
        told = self.answers

        class Handler(Answering):
            def do_POST(self) -> None:
                query = parse_qs(self.body().decode())["query"][0]
                found = next((samples for part, samples in told.items() if part in query), [])
                result = [{"metric": labels, "value": [time.time(), str(value)]} for labels, value in found]
                body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()
                self.answer(body)

        self._server = Loopback(Handler).begin()
        self.url = self._server.url

    def end(self) -> None:
        self._server.end()


class Controller:
    """`llmobs run` as a process, as the chart's service account."""

    def __init__(self, server: ApiServer, folder: Path, *, prometheus: str = "", **settings: Any) -> None:
        self.server, self.folder = server, folder
        self._config = folder / "config.yaml"
        self._config.write_text(yaml.safe_dump({"resync": "1s", "prometheus": {"url": prometheus}, **settings}))
        self._kubeconfig = account(server, "llmobs-controller")
        self._process: Process | None = None
        self._port = free_port()

    def _command(self, *more: str) -> list[str]:
        flags = [f"--kubeconfig={self._kubeconfig}", f"--namespace={SYSTEM}", f"--config={self._config}"]
        return [LLMOBS, "run", *flags, "--metrics-host=127.0.0.1", f"--metrics-port={self._port}", *more]

    def start(self) -> None:
        self._process = Process("controller", self._command(), self.folder)

    def end(self, number: int = 15) -> int:
        assert self._process is not None
        return self._process.end(number)

    def once(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command("--once"), capture_output=True, text=True, check=False, timeout=120)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def log(self) -> str:
        assert self._process is not None
        return self._process.log.read_text(errors="replace")

    def ask(self, path: str) -> tuple[int, str]:
        """Status and text from the port for machines; 0 while nobody answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"http://127.0.0.1:{self._port}{path}", timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError:  # not there yet
            return 0, ""

    def writes(self) -> float:
        """Writes so far, of all kinds."""
        _, text = self.ask("/metrics")
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith("llmobs_writes_total"))

    def passes(self) -> float:
        """How often everything was read anew."""
        _, text = self.ask("/metrics")
        lines = [line for line in text.splitlines() if line.startswith('llmobs_reconcile_duration_seconds_count{kind="Refresh"}')]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0
