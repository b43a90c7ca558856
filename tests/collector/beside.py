"""The collector of a pod, run as admission puts it there, between an application and a gateway; what goes over the wire is kept."""

import gzip
import json
import os
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from llmobs.api import names
from llmobs.api.effective import Policy
from llmobs.catalogue import sidecar
from llmobs.inject.compiled import Platform, compiled
from llmobs.plan.collector.sidecar import configmap

from tests.collector.gateway import DEADLINE, free_ports, get, until
from tests.fakes.loopback import Answering, Loopback


class Wire(Loopback):
    """Passes every request on to a gateway and keeps what it held, decompressed."""

    def __init__(self, gateway: str) -> None:
        self.gateway = gateway
        self.seen = b""
        super().__init__(_Passing)

    def pause(self) -> None:
        """Before the gateway's answer goes back."""


class _Passing(Answering):
    server: Wire

    def do_POST(self) -> None:
        body = self.body()
        self.server.seen += gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        headers = {key: value for key, value in self.headers.items() if key.lower().startswith("content-")}
        asked = urllib.request.Request(self.server.gateway + self.path, body, headers, method="POST")
        with urllib.request.urlopen(asked, timeout=DEADLINE) as answer:
            said = answer.read()
        self.server.pause()
        self.answer(said, headers={"Content-Type": answer.headers["Content-Type"]})


def container(policy: Policy) -> dict[str, Any]:
    """The collector that a pod of the policy gets."""
    made = compiled(policy, Platform()).sidecar
    assert made is not None
    return dict(json.loads(bytes(made.manifest({}, native=True))))


def command(otelcol: str, policy: Policy, *, configured: bool = True) -> tuple[list[str], dict[str, str]]:
    """How the kubelet would start it: the arguments, and the environment with the ConfigMap or, as before there is one, without."""
    made = container(policy)
    text = configmap(policy)["data"][sidecar.FILE]
    environment = {name: value for name, value in os.environ.items() if name != sidecar.VARIABLE}
    return [otelcol, *made["args"]], {**environment, **({sidecar.VARIABLE: text} if configured else {})}


class Beside:
    """A running collector of a pod."""

    def __init__(self, otelcol: str, folder: Path, policy: Policy, gateway: str, *, configured: bool = True) -> None:
        self._arguments, self._environment = command(otelcol, policy, configured=configured)
        self._gateway, self._log = gateway, folder / "sidecar.log"

    def __enter__(self) -> Self:
        self.port, self._health = free_ports(2)
        changes = {
            names.gateway_endpoint(Platform().namespace): self._gateway,
            f"127.0.0.1:{sidecar.OTLP_PORT}": f"127.0.0.1:{self.port}",
            f'":{sidecar.HEALTH_PORT}"': f'"127.0.0.1:{self._health}"',
        }
        arguments = list(self._arguments)
        for ours, here in changes.items():
            assert ours in arguments[1]
            arguments[1] = arguments[1].replace(ours, here)
        with self._log.open("w") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, env=self._environment)
        assert until(lambda: self.process.poll() is not None or self._healthy()), self._log.read_text()
        assert self.process.poll() is None, self._log.read_text()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> int:
        """What the kubelet does once the other containers have ended."""
        self.process.terminate()
        return self.process.wait(timeout=DEADLINE)

    def _healthy(self) -> bool:
        try:
            return bool(get(f"http://127.0.0.1:{self._health}/"))
        except OSError:
            return False

    def post(self, body: Mapping[str, Any]) -> None:
        """One OTLP/HTTP JSON request of the application, which must succeed."""
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/traces", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=DEADLINE) as answer:
            assert answer.status == 200
