"""What is true of the cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llmobs.cluster.client import Client
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import ADMISSION_BINDING, ADMISSION_POLICY, OURS, POD_MONITOR, PROMETHEUS_RULE, Resource
from llmobs.plan.inputs import Facts


async def facts(client: Client, namespace: str) -> Facts:
    """The facts that plans depend on."""
    known = await serves(client, PROMETHEUS_RULE, POD_MONITOR)
    native = await serves(client, ADMISSION_POLICY, ADMISSION_BINDING)
    return Facts(namespace=namespace, prometheus_operator=known, admission_policies=native, version=await version(client))


async def version(client: Client) -> tuple[int, int] | None:
    """Major and minor of the API server; None when it will not say."""
    try:
        return read(await client.request("GET", "/version"))
    except Refused:
        return None


def read(answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """Major and minor of a version; providers write minors such as ``36+``."""
    major, minor = (re.match(r"[0-9]+", str(answer.get(key, ""))) for key in ("major", "minor"))
    return (int(major[0]), int(minor[0])) if major and minor else None


async def ready(client: Client) -> bool:
    """Whether the API server serves our own kinds."""
    return bool(await serves(client, *OURS))


async def serves(client: Client, *kinds: Resource) -> bool | None:
    """Whether the API server knows every one of these kinds, all of one group version; None when it will not say."""
    try:
        known = await client.request("GET", f"/apis/{kinds[0].api_version}")
    except Refused as refused:
        return False if refused.status == 404 else None
    return {kind.plural for kind in kinds} <= {str(item["name"]) for item in known.get("resources") or []}
