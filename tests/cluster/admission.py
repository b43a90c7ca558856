"""The real webhook process on the test server, called by URL."""

from __future__ import annotations

import base64
import itertools
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from llmobs.cluster.authority import authority, leaf

from tests.cluster.apiserver import ApiServer, Process, free_port, until
from tests.cluster.installation import LLMOBS, SYSTEM, account, rendered

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_numbers = itertools.count()


class Admission:
    """The chart's webhook configuration, called by URL instead of by Service, and the process behind it."""

    def __init__(self, server: ApiServer, folder: Path, *options: str, **settings: Any) -> None:
        """``options`` are helm's, ``settings`` the webhook's that they stand for."""
        self.server, self.folder, self.port, self._options = server, folder, free_port(), options
        self._config = folder / "webhook.yaml"
        self._config.write_text(yaml.safe_dump(settings))
        now = datetime.now(tz=UTC)
        self.root = authority(now)
        pair = leaf(self.root, ["localhost"], now)
        for name, text in (("tls.crt", pair.certificate), ("tls.key", pair.key)):
            (folder / name).write_text(text)
        self._kubeconfig = account(server, "llmobs-webhook")
        self._process: Process | None = None

    def start(self) -> None:
        flags = [f"--tls-cert={self.folder / 'tls.crt'}", f"--tls-key={self.folder / 'tls.key'}", f"--port={self.port}"]
        flags += [
            f"--config={self._config}",
            f"--kubeconfig={self._kubeconfig}",
            "--metrics-port=0",
            "--host=127.0.0.1",
            f"--namespace={SYSTEM}",
        ]
        self._process = Process("webhook", [LLMOBS, "webhook", *flags], self.folder)
        until("the webhook listens or ended", lambda: "listening" in self.log() or not self.running)
        assert self.running, self.log()

    def end(self) -> None:
        if self._process is not None:
            self._process.end()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def log(self) -> str:
        return self._process.log.read_text() if self._process is not None else ""

    def configure(self) -> dict[str, Any]:
        [made] = [item for item in rendered(*self._options) if item["kind"] == "MutatingWebhookConfiguration"]
        authority_ = base64.b64encode(self.root.certificate.encode()).decode()
        client = {"url": f"https://localhost:{self.port}/mutate", "caBundle": authority_}
        made["webhooks"][0]["clientConfig"] = client
        return dict(self.server.create(CONFIGURATIONS, made))

    def namespace(self, **labels: str) -> str:
        name = f"app-{next(_numbers)}"
        self.server.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        return name

    def policy(self, namespace: str, spec: dict[str, Any] | None = None) -> dict[str, Any]:
        body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": {"name": "p"}, "spec": spec or {}}
        path = f"/apis/llmobs.dev/v1alpha1/namespaces/{namespace}/llmobservabilities"
        return dict(self.server.create(path, body))

    def pod(self, namespace: str, *, name: str = "web", labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """The pod as it would be stored."""
        body = {
            "metadata": {"name": name, "labels": labels or {}, **more.pop("metadata", {})},
            "spec": {"containers": [{"name": "app", "image": "example.com/app:1", **more.pop("container", {})}], **more},
        }
        status, answer = self.server.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", body)
        assert status == 201, answer
        return dict(answer)

    def injected(self, namespace: str, **more: Any) -> dict[str, Any] | None:
        pod = self.pod(namespace, **more)
        return pod if pod["metadata"].get("labels", {}).get("llmobs.dev/injected") == "true" else None
