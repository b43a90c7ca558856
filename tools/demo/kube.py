"""kubectl and helm as the demo uses them: every call is logged, a failure names the call and its log."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from binaries.failure import Failed
from binaries.progress import Progress

T = TypeVar("T")

_PAUSE = 0.5  # seconds between two looks at something that is being waited for


@dataclass(frozen=True)
class Kube:
    """One cluster, by its kubeconfig; `None` means the one that kubectl points to anyway."""

    kubectl: Path
    helm: Path
    kubeconfig: Path | None
    log: Path

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """Kubectl's standard output. Raises Failed when it exits with another status than 0."""
        return self._call(self.kubectl, arguments, stdin)

    def try_run(self, *arguments: str) -> str | None:
        """The same, or None where it fails."""
        try:
            return self.run(*arguments)
        except Failed:
            return None

    def chart(self, *arguments: str) -> str:
        """Helm's standard output."""
        return self._call(self.helm, arguments, None)

    def get(self, *arguments: str) -> Any:
        """Parsed JSON of `kubectl get`, or None when there is no such thing."""
        text = self.try_run("get", *arguments, "-o", "json")
        return json.loads(text) if text else None

    def apply(self, *files: Path) -> None:
        """`kubectl apply` of files."""
        self.run("apply", *(word for file in files for word in ("-f", str(file))))

    def service(self, namespace: str, service: str, path: str) -> Any:
        """JSON that a service answers, read through the API server so that it works from anywhere."""
        return self._answer(f"/api/v1/namespaces/{namespace}/services/{service}/proxy{path}")

    def pod(self, namespace: str, pod: str, path: str) -> Any:
        """JSON that a pod answers, read the same way; ``pod`` is ``name:port``."""
        return self._answer(f"/api/v1/namespaces/{namespace}/pods/{pod}/proxy{path}")

    def _answer(self, raw: str) -> Any:
        text = self.try_run("get", "--raw", raw)
        try:
            return json.loads(text) if text else None
        except ValueError:
            return None

    def _call(self, program: Path, arguments: Iterable[str], stdin: str | None) -> str:
        command = [str(program), *arguments]
        environment = {**os.environ, **({"KUBECONFIG": str(self.kubeconfig)} if self.kubeconfig else {})}
        done = subprocess.run(command, input=stdin or "", capture_output=True, text=True, env=environment, check=False)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise Failed(f"{program.name} {next(iter(arguments), '')}", said[-1] if said else "failed without a word", self.log)
        return done.stdout


@dataclass(frozen=True)
class Prometheus:
    """Prometheus' HTTP API, through the API server."""

    kube: Kube
    namespace: str
    service: str

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The vector that a query gives now; empty when Prometheus does not answer."""
        answer = self.kube.service(self.namespace, self.service, f"/api/v1/query?query={quote(promql)}")
        return list(answer["data"]["result"]) if answer and answer.get("status") == "success" else []

    def value(self, promql: str) -> float | None:
        """The only value of a query, or None."""
        found = self.query(promql)
        return float(found[0]["value"][1]) if found else None


def wait(what: str, look: Callable[[], T | None], *, seconds: float, why: Callable[[], str] = lambda: "") -> T:
    """Look until something is there, with progress on the screen. Raises Failed after `seconds`, with what `why` finds."""
    deadline = time.monotonic() + seconds
    with Progress(what) as progress:
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > deadline:
                raise Failed(what, f"not there after {seconds:.0f} s. {why()}".strip())
            progress.note = why()[:60] if progress.seconds > 20 else ""
            time.sleep(_PAUSE)
