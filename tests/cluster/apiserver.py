"""A real API server on loopback: etcd and kube-apiserver, and kube-controller-manager where a test needs its controllers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOKEN = "admin-token"
DEADLINE = 180.0
AUDITED = "llmobs-system"
"""Namespace of the service accounts whose requests are noted."""


@cache
def binary(name: str) -> str:
    """The path of a test binary; the test that asks is skipped where it has not been built."""
    asked = [sys.executable, ROOT / "tools/build.py", "--which", name]
    path = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not path or not Path(path).exists():
        pytest.skip(f"{name} is not built: run `make tools`")
    return path


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def until(what: str, holds: Callable[[], Any], *, within: float = DEADLINE) -> Any:
    """Ask ``holds`` again and again; its first answer that is true. Fails with ``what`` after ``within`` seconds."""
    end = time.monotonic() + within
    while not (found := holds()):
        if time.monotonic() > end:
            pytest.fail(f"not within {within:.0f} s: {what}")
        time.sleep(0.1)
    return found


class Process:
    """One process of ours, with its log."""

    def __init__(self, name: str, command: list[str], folder: Path, **environment: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env={**os.environ, **environment}, cwd=folder
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def end(self, number: int = signal.SIGTERM, *, within: float = 30) -> int:
        if self.running:
            self._process.send_signal(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self._process.wait(within)
        self._process.kill()
        return self._process.wait()

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:]


class ApiServer:
    """etcd and kube-apiserver on free ports; state lives in ``folder``, so that the server can be stopped and started.

    With ``accounts`` pods get the token of their service account, and need one.
    """

    def __init__(self, folder: Path, *, accounts: bool = False) -> None:
        self.folder = folder
        self._accounts = accounts
        self.port = free_port()
        self._etcd_port, peer = free_port(), free_port()
        self._keys()
        self._running: list[Process] = []
        etcd, peers = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{peer}"
        flags = ["--name=e", f"--data-dir={folder / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn"]
        flags += [f"--listen-client-urls={etcd}", f"--advertise-client-urls={etcd}"]
        flags += [f"--listen-peer-urls={peers}", f"--initial-advertise-peer-urls={peers}", f"--initial-cluster=e={peers}"]
        self._etcd = Process("etcd", [binary("etcd"), *flags], folder)
        self._server: Process | None = None
        self._controllers: Process | None = None

    def _keys(self) -> None:
        key = self.folder / "accounts.key"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text(f'{TOKEN},admin,1,"system:masters"\n')

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self) -> Path:
        return self.folder / "certificates" / "apiserver.crt"

    def start(self) -> None:
        flags = [f"--etcd-servers=http://127.0.0.1:{self._etcd_port}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"]
        flags += [f"--secure-port={self.port}", f"--cert-dir={self.folder / 'certificates'}", "--endpoint-reconciler-type=none"]
        flags += ["--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://kubernetes.default.svc.cluster.local"]
        flags += [f"--service-account-key-file={self.folder / 'accounts.key'}"]
        flags += [f"--service-account-signing-key-file={self.folder / 'accounts.key'}", "--authorization-mode=RBAC"]
        flags += [f"--token-auth-file={self.folder / 'tokens.csv'}", "--allow-privileged=true", "--profiling=false"]
        flags += ["--watch-cache=true", *self._audited()]
        flags += [] if self._accounts else ["--disable-admission-plugins=ServiceAccount"]
        self._server = Process("kube-apiserver", [binary("kube-apiserver"), *flags], self.folder)
        until("kube-apiserver answers /readyz", self.ready)

    def _audited(self) -> list[str]:
        """Flags that make the server note every request of a service account of ours."""
        policy = self.folder / "audit.yaml"
        rules = [{"level": "Metadata", "userGroups": [f"system:serviceaccounts:{AUDITED}"]}, {"level": "None"}]
        made = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": rules}
        policy.write_text(yaml.safe_dump(made))
        return [f"--audit-policy-file={policy}", f"--audit-log-path={self.folder / 'audit.log'}"]

    def audit(self) -> list[dict[str, Any]]:
        """What service accounts of ours asked for so far."""
        path = self.folder / "audit.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("}")]

    def stop(self, number: int = signal.SIGKILL) -> None:
        """Take the server away; what is stored stays."""
        if self._server is not None:
            self._server.end(number)

    def controllers(self) -> None:
        """Start kube-controller-manager, once: garbage collection, ReplicaSets, namespaces that finish deleting."""
        if self._controllers is not None:
            return
        where = str(self.kubeconfig())
        flags = [f"--kubeconfig={where}", f"--authentication-kubeconfig={where}", f"--authorization-kubeconfig={where}"]
        flags += [f"--service-account-private-key-file={self.folder / 'accounts.key'}", f"--root-ca-file={self.authority}"]
        flags += ["--leader-elect=false", "--bind-address=127.0.0.1", f"--secure-port={free_port()}", "--profiling=false"]
        flags += ["--kube-api-qps=500", "--kube-api-burst=1000", "--authentication-skip-lookup=true"]
        self._controllers = Process("kube-controller-manager", [binary("kube-controller-manager"), *flags], self.folder)

    def end(self) -> None:
        for process in (self._controllers, self._server, self._etcd):
            if process is not None:
                process.end(signal.SIGKILL)

    def ready(self) -> bool:
        if self._server is not None and not self._server.running:
            pytest.fail(f"kube-apiserver ended: {self._server.tail()}")
        try:
            return self.request("GET", "/readyz", raw=True)[0] == 200
        except OSError:
            return False

    def kubeconfig(self, *, token: str = TOKEN, name: str = "admin") -> Path:
        path = self.folder / f"{name}.kubeconfig"
        cluster = {"server": self.url, "certificate-authority": str(self.authority)}
        made = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        path.write_text(yaml.safe_dump(made))
        path.chmod(0o600)
        return path

    def request(self, method: str, path: str, body: Any = None, *, content: str = "application/json", raw: bool = False) -> tuple[int, Any]:
        """Status and decoded answer of one request as cluster-admin, without any code of ours in between."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": content, "Accept": "application/json"}
        asked = urllib.request.Request(f"{self.url}{path}", data=data, headers=headers, method=method)
        context = ssl.create_default_context(cafile=str(self.authority)) if self.authority.exists() else ssl.create_default_context()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        try:
            with opener.open(asked, timeout=30) as answer:
                text = answer.read()
                return answer.status, text.decode() if raw else json.loads(text)
        except urllib.error.HTTPError as refused:
            text = refused.read()
            return refused.code, json.loads(text) if text.startswith(b"{") else {"message": text.decode()}

    def create(self, path: str, body: Any) -> Any:
        """Create, or apply when it exists: what is stored. Fails with the server's words."""
        status, answer = self.request("POST", path, body)
        assert status in (200, 201), answer
        return answer

    def apply(self, path: str, body: Any, *, manager: str = "somebody") -> tuple[int, Any]:
        return self.request("PATCH", f"{path}?fieldManager={manager}&force=true", body, content="application/apply-patch+yaml")

    def get(self, path: str) -> Any:
        """The object, or None."""
        status, answer = self.request("GET", path)
        return answer if status == 200 else None

    def merge(self, path: str, patch: Any) -> Any:
        status, answer = self.request("PATCH", path, patch, content="application/merge-patch+json")
        assert status == 200, answer
        return answer

    def delete(self, path: str) -> None:
        status, answer = self.request("DELETE", path)
        assert status in (200, 202, 404), answer


def definitions(folder: Path) -> Iterator[dict[str, Any]]:
    """The CustomResourceDefinitions of a folder."""
    for path in sorted(folder.glob("*.yaml")):
        yield from (item for item in yaml.safe_load_all(path.read_text()) if item)


def prometheus_definitions() -> list[dict[str, Any]]:
    """PrometheusRule and PodMonitor as prometheus-operator names them, with open schemas: who checks the content is promtool."""
    return [_open("PrometheusRule", "prometheusrules"), _open("PodMonitor", "podmonitors")]


def _open(kind: str, plural: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {"group": "monitoring.coreos.com", "names": names, "scope": "Namespaced", "versions": [version]},
    }


def define(server: ApiServer, definition: dict[str, Any]) -> None:
    """Create a definition and wait until its kind is served."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    status, answer = server.request("POST", path, definition)
    assert status in (201, 409), answer
    spec = definition["spec"]
    collection = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
    until(f"{spec['names']['plural']} are served", lambda: server.get(collection) is not None)


@contextmanager
def serving(folder: Path) -> Iterator[ApiServer]:
    """A server that knows our kinds."""
    server = ApiServer(folder)
    try:
        server.start()
        for definition in definitions(ROOT / "crds"):
            define(server, definition)
        yield server
    finally:
        server.end()
