"""A real API server with the chart's objects, and the controller at work on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.apiserver import ApiServer, until
from tests.cluster.installation import SYSTEM, Controller, Prometheus, install

GROUP = "/apis/llmobs.dev/v1alpha1"
GATEWAY = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/llmobs-gateway"
_numbers = itertools.count()


class World:
    """A server with the chart's objects, a Prometheus, and the controller running."""

    def __init__(self, server: ApiServer, controller: Controller, prometheus: Prometheus) -> None:
        self.server, self.controller, self.prometheus = server, controller, prometheus

    def namespace(self) -> str:
        name = f"team-{next(_numbers)}"
        self.server.create("/api/v1/namespaces", {"metadata": {"name": name}})
        return name

    def policy(self, namespace: str, spec: dict[str, Any] | None = None, name: str = "p") -> str:
        """Create or change a policy; its path."""
        body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": "LLMObservability", "metadata": {"name": name}, "spec": spec or {}}
        path = f"{GROUP}/namespaces/{namespace}/llmobservabilities"
        status, answer = self.server.apply(f"{path}/{name}", body)
        assert status in (200, 201), answer
        return f"{path}/{name}"

    def cluster_wide(self, plural: str, kind: str, spec: dict[str, Any], name: str) -> str:
        body = {"apiVersion": "llmobs.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        status, answer = self.server.apply(f"{GROUP}/{plural}/{name}", body)
        assert status in (200, 201), answer
        return f"{GROUP}/{plural}/{name}"

    def condition(self, path: str, kind: str, status: str, reason: str, *, running: bool = True) -> str:
        """Wait until the condition of the newest generation is so; its message."""

        def found() -> Any:
            assert self.controller.running is running, self.controller.log()[-3000:]
            body = self.server.get(path)
            for item in (body.get("status") or {}).get("conditions") or []:
                if item["type"] == kind and item["observedGeneration"] == body["metadata"]["generation"]:
                    self.last = item
                    if (item["status"], item["reason"]) == (status, reason):
                        return [item["message"]]
            return None

        self.last: Any = None
        try:
            return str(until(f"{kind} {status}/{reason}", found)[0])
        except pytest.fail.Exception:
            pytest.fail(f"{kind} is not {status}/{reason} but {self.last}; controller: {self.controller.log()[-3000:]}")

    def dashboards(self, namespace: str) -> list[Any]:
        labels = "app.kubernetes.io%2Fmanaged-by%3Dllm-observability-operator"
        return list(self.server.get(f"/api/v1/namespaces/{namespace}/configmaps?labelSelector={labels}")["items"])

    def gateway_configuration(self) -> str:
        """The configuration that the gateway's Deployment mounts."""
        volumes = self.server.get(GATEWAY)["spec"]["template"]["spec"]["volumes"]
        names = {item["configMap"]["name"] for item in volumes if "configMap" in item}
        data = [self.server.get(f"/api/v1/namespaces/{SYSTEM}/configmaps/{name}")["data"] for name in names]
        return "\n".join(text for item in data for text in item.values())

    def pod(self, namespace: str, name: str, *, labels: dict[str, str] | None = None, **spec: Any) -> None:
        body = {
            "metadata": {"name": name, "labels": {"app": name, **(labels or {})}},
            "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}], **spec},
        }
        self.server.create(f"/api/v1/namespaces/{namespace}/pods", body)

    def quiet(self, *, passes: int) -> None:
        """Wait for whole passes of the controller over everything."""
        begun = until("the controller's first pass", self.controller.passes)
        until(f"{passes} passes", lambda: self.controller.passes() >= begun + passes)


@contextmanager
def running(folder: Path, *flags: str, **settings: Any) -> Iterator[World]:
    """A world of its own in a folder; ``flags`` are helm's, ``settings`` the controller's that they stand for."""
    server, prometheus = ApiServer(folder), Prometheus()
    controller = None
    try:
        server.start()
        install(server, folder, *flags)
        controller = Controller(server, folder, prometheus=prometheus.url, **settings)
        controller.start()
        yield World(server, controller, prometheus)
    finally:
        if controller is not None and controller.running:
            controller.end()
        prometheus.end()
        server.end()
