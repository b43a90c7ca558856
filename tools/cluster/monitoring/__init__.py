"""What a platform team already has: prometheus-operator, a Prometheus and an Alertmanager, in the namespace `monitoring`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from string import Template

from binaries.failure import Failed
from binaries.families import family
from binaries.places import layout
from binaries.progress import Progress

from cluster import images
from cluster.settings import settings

NAMESPACE = "monitoring"
IMAGES = ("prometheus-operator", "prometheus-config-reloader", "prometheus", "alertmanager")
_MODULE = "github.com/prometheus-operator/prometheus-operator"
# By default the reloader gets a hundredth of a core: six seconds to write the first configuration.
_LAST_ARGUMENT = "        - --kubelet-endpointslice=false\n"
_UNTHROTTLED = "        - --config-reloader-cpu-limit=0\n"
_PATIENCE = 180.0  # seconds for one step; all of them together take twenty on an idle machine


def bundle() -> str:
    """The operator's own manifest, definitions and all, from the Go module that its binary was built from; for our namespace."""
    text = (_module() / "bundle.yaml").read_text()
    if _LAST_ARGUMENT not in text:
        raise Failed("monitoring", "the operator's bundle.yaml has changed its arguments; look at the new ones")
    text = text.replace(_LAST_ARGUMENT, _LAST_ARGUMENT + _UNTHROTTLED)
    return text.replace("\n  namespace: default\n", f"\n  namespace: {NAMESPACE}\n")


def definitions() -> str:
    """Only the CustomResourceDefinitions of the bundle, for an API server that runs no pods."""
    return "---\n".join(part for part in bundle().split("---\n") if "\nkind: CustomResourceDefinition\n" in part)


def platform() -> str:
    """Our Prometheus and Alertmanager, of the versions that the images have."""
    versions = {name.upper(): family(name).version() for name in ("prometheus", "alertmanager")}
    return Template(Path(__file__).with_name("platform.yaml").read_text()).substitute(versions)


def install(kubeconfig: Path) -> None:
    """Apply all of it and return when Prometheus answers queries. Raises Failed with a log that describes the pods."""
    images.ensure(IMAGES)
    kubectl = Kubectl(kubeconfig)
    with Progress("monitoring", total=5) as progress:

        def stage(name: str, work: Callable[[], object]) -> None:
            progress.note = name
            work()
            progress.step()
            progress.say(f"{progress.seconds:5.1f} s  {name}")

        stage("prometheus-operator and its definitions", lambda: kubectl.operator(bundle()))
        stage("Prometheus and Alertmanager applied", lambda: kubectl.until("definitions are served", lambda: kubectl.apply(platform())))
        for kind in ("alertmanager", "prometheus"):
            stage(f"{kind} available", lambda kind=kind: kubectl.until(f"{kind} available", lambda: kubectl.available(kind)))  # type: ignore[misc]
        stage("Prometheus answers", lambda: kubectl.until("Prometheus answers", kubectl.answers))


class Kubectl:
    """kubectl with one kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self._command = [str(layout().binary("kubectl")), f"--kubeconfig={kubeconfig}"]
        self.log = settings().images.parent / "log" / "monitoring.log"

    def operator(self, manifest: str) -> None:
        """The namespace, then the bundle; server-side, because the definitions are too long for a last-applied annotation."""
        namespace = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for text in (namespace, manifest):
            if not self.apply(text):
                raise Failed("monitoring", "kubectl apply failed", self.log)

    def apply(self, manifest: str) -> bool:
        """Whether the API server took all of it; what it said is in the log."""
        done = self._run("apply", "--server-side", "--force-conflicts", "-f", "-", text=manifest)
        self._note(done.stdout + done.stderr)
        return done.returncode == 0

    def available(self, kind: str) -> bool:
        """Whether the operator calls our object of that kind available."""
        path = '{.status.conditions[?(@.type=="Available")].status}'
        return self._run("get", f"{kind}.monitoring.coreos.com/main", "-n", NAMESPACE, "-o", f"jsonpath={path}").stdout == "True"

    def answers(self) -> bool:
        """Whether Prometheus answers a query through the API server."""
        path = f"/api/v1/namespaces/{NAMESPACE}/services/prometheus:web/proxy/api/v1/query?query=vector(1)"
        return '"status":"success"' in self._run("get", "--raw", path).stdout

    def until(self, what: str, done: Callable[[], bool]) -> None:
        """Poll; when patience ends, describe the pods in the log and raise Failed."""
        deadline = time.monotonic() + _PATIENCE
        while not done():
            if time.monotonic() > deadline:
                self._note(self._run("describe", "pods", "-n", NAMESPACE).stdout)
                raise Failed("monitoring", f"not after {_PATIENCE:.0f} s: {what}", self.log)
            time.sleep(0.2)

    def _run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "NO_PROXY": "*", "no_proxy": "*"}
        return subprocess.run([*self._command, *arguments], input=text, capture_output=True, text=True, check=False, env=environment)

    def _note(self, text: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(text)


def _module() -> Path:
    """The module's folder in Go's module cache, fetched when it is not there."""
    where = layout()
    version = family("prometheus-operator").version()
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run(
        [where.toolchain.go, "mod", "download", "-json", f"{_MODULE}@v{version}"],
        cwd=family("prometheus-operator").folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed("monitoring", f"go mod download {_MODULE}: {done.stdout.strip() or done.stderr.strip()}")
    return Path(json.loads(done.stdout)["Dir"])
