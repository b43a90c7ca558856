"""Write status, when it differs."""

from __future__ import annotations

from typing import Any

from llmobs.cluster.client import Client, Manifest


async def write(client: Client, body: Manifest, status: dict[str, Any]) -> bool:
    """Make ``status`` the status of ``body``; whether anything was written. A resource that is gone is no error."""
    if (body.get("status") or {}) == status:
        return False
    meta = {key: body["metadata"][key] for key in ("name", "namespace", "uid") if key in body["metadata"]}
    patch = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": meta, "status": status}
    await client.apply(patch, sub="status")
    return True
