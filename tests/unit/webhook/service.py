"""Reviews, and the webhook's applications called in this process."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llmobs.telemetry.admission import AdmissionMetrics
from llmobs.webhook.app import Admission, Probes
from llmobs.webhook.store import Store

POD = {"metadata": {"name": "api"}, "spec": {"containers": [{"name": "app", "image": "app"}]}}


def policy(name: str = "checkout", namespace: str = "team-a", **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def review(pod: Any = POD, **request: Any) -> bytes:
    whole = {"uid": "u-1", "kind": {"kind": "Pod"}, "operation": "CREATE", "namespace": "team-a", "object": pod, **request}
    return json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": whole}).encode()


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def response(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)["response"]
        return found

    @property
    def patch(self) -> Any:
        return json.loads(base64.b64decode(self.response["patch"]))


class Service:
    """Both applications over one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.metrics = AdmissionMetrics(policies=lambda: store.policies, problems=lambda: len(store.problems), synced=lambda: store.synced)
        self.probes = Probes(store, self.metrics)
        self.admission = Admission(store, self.metrics, self.probes)

    def mutate(self, *parts: bytes) -> Reply:
        return call(self.admission, "POST", "/mutate", parts)

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


def call(app: Any, method: str, path: str, parts: Iterable[bytes] = (), *, headers: Any = ()) -> Reply:
    """One request through ASGI; the body in these parts."""
    chunks = list(parts) or [b""]
    messages = [{"type": "http.request", "body": part, "more_body": index < len(chunks) - 1} for index, part in enumerate(chunks)]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app({"type": "http", "method": method, "path": path, "headers": list(headers)}, receive, send))
    start, *bodies = sent
    return Reply(start["status"], dict(start["headers"]), b"".join(item["body"] for item in bodies))
