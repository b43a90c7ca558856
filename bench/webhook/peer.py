"""kopf's own admission server with a handler that makes the product's change, to be measured beside it."""

from __future__ import annotations

import base64
import functools
import json
from pathlib import Path
from typing import Any

import kopf
from kopf._cogs.structs.references import Insights, Resource
from kopf._core.engines.admission import serve_admission_request
from kopf._core.engines.indexing import OperatorIndexers
from kopf._core.reactor.inventory import ResourceMemories
from llmobs.inject.workload import patched
from llmobs.webhook.review import answer
from llmobs.webhook.store import Store

PODS = Resource(group="", version="v1", plural="pods", kind="Pod", singular="pod", namespaced=True, preferred=True, verbs=frozenset())


def _registry(operations: list[dict[str, Any]]) -> kopf.OperatorRegistry:
    registry = kopf.OperatorRegistry()

    @kopf.on.mutate("v1", "pods", id="mutate", operation="CREATE", registry=registry)
    def mutate(body: kopf.Body, patch: kopf.Patch, **_: Any) -> None:
        wanted = patched(dict(body), operations)
        patch.update({"metadata": wanted["metadata"], "spec": wanted["spec"]})

    return registry


async def serve(certificate: Path, key: Path, review: bytes, store: Store) -> None:
    """Serve for ever; prints the port."""
    response = json.loads(answer(review, store).body)["response"]
    handle = functools.partial(
        serve_admission_request,
        settings=kopf.OperatorSettings(),
        memories=ResourceMemories(),
        memobase=kopf.Memo(),
        registry=_registry(json.loads(base64.b64decode(response["patch"]))),
        insights=Insights(webhook_resources={PODS}),
        indices=OperatorIndexers().indices,
    )

    async def mutate(request: Any, **hints: Any) -> Any:
        # the end of the path would name a handler; ours is asked at any path
        return await handle(request, headers=hints["headers"], sslpeer=hints["sslpeer"])

    server = kopf.WebhookServer(addr="127.0.0.1", host="127.0.0.1", certfile=certificate, pkeyfile=key)
    async for config in server(mutate):
        print(config["url"].rpartition(":")[2].partition("/")[0], flush=True)
