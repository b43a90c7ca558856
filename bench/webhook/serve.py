"""One server to be measured: `python -m bench.webhook.serve HANDLER CERTIFICATE KEY`; prints its port."""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import sys
from pathlib import Path
from typing import Any

import jsonpatch
import uvloop
from llmobs.inject.compiled import Platform
from llmobs.inject.workload import patched
from llmobs.telemetry.admission import AdmissionMetrics
from llmobs.webhook.app import Admission, Probes
from llmobs.webhook.certificate import Files, ServingCertificate
from llmobs.webhook.review import answer
from llmobs.webhook.server import http_server
from llmobs.webhook.store import KINDS, POLICY, Store

from bench.webhook import peer
from bench.webhook.pods import review

POLICIES = 1000
NAMESPACE = "team-7"
_ALLOWED = b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":"1","allowed":true}}'


async def nothing(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001 - the shape of ASGI
    """Read the request, answer a constant: what the server itself costs."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_ALLOWED)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _ALLOWED})


class CopyAndDiff:
    """The usual way to write a webhook: decode, copy, change the copy, send the difference. The change itself is the product's."""

    def __init__(self) -> None:
        response = json.loads(answer(review(NAMESPACE), store()).body)["response"]
        self._operations = json.loads(base64.b64decode(response["patch"]))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - the shape of ASGI
        """Answer one review."""
        parts, more = [], True
        while more:
            message = await receive()
            parts.append(message["body"])
            more = message.get("more_body")
        request = json.loads(b"".join(parts))["request"]
        pod = request["object"]
        patch = jsonpatch.make_patch(pod, patched(pod, self._operations)).to_string()
        response = {"uid": request["uid"], "allowed": True, "patchType": "JSONPatch", "patch": base64.b64encode(patch.encode()).decode()}
        body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def store() -> Store:
    """A policy in each of a thousand namespaces."""
    made = Store(Platform())
    spec = {"selector": {"matchLabels": {"app": "checkout"}}, "attributes": {"team": "payments", "environment": "production"}}
    policies = [{"metadata": {"name": "p", "namespace": f"team-{number}"}, "spec": spec} for number in range(POLICIES)]
    for kind in KINDS:
        made.replace(kind, policies if kind == POLICY else [])
    return made


def admission() -> Admission:
    """The product's handler with a policy in each of a thousand namespaces."""
    known = store()
    metrics = AdmissionMetrics(policies=lambda: known.policies, problems=lambda: 0, synced=lambda: known.synced)
    return Admission(known, metrics, Probes(known, metrics))


async def _serve(handler: str, files: Files) -> None:
    import socket

    if handler == "kopf":
        await peer.serve(files.certificate, files.key, review(NAMESPACE), store())
        return

    certificate = ServingCertificate(files, expires=lambda _: None)
    app = {"nothing": lambda: nothing, "diff": CopyAndDiff, "admission": admission}[handler]()
    # As the webhook does once its policies are ready.
    gc.collect()
    gc.freeze()
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as taken:
        print(taken.getsockname()[1], flush=True)
        await http_server(app, context=certificate.context).serve(sockets=[taken])


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(sys.argv[1], Files(Path(sys.argv[2]), Path(sys.argv[3]))))
