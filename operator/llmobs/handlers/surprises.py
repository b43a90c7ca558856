"""Events on workloads whose pods are left alone for a reason that nobody chose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from llmobs.cluster.client import Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import POD
from llmobs.cluster.workloads import behind, find
from llmobs.handlers.context import Context, now
from llmobs.inject.reasons import Reason
from llmobs.plan.findings import Pods

AGAIN = timedelta(hours=1)
"""How long a workload is not told the same again; about as long as the API server keeps an Event."""
MOST = 20
"""Workloads told of in one pass over a policy; the others follow in the next."""


_KNOWN = 10_000
_SENTENCES = {item.value: item.sentence for item in Reason}


async def tell(context: Context, namespace: str, found: Pods, pods: Sequence[Manifest]) -> None:
    """Tell each workload once why its pods are left alone, where that may surprise its owner."""
    moment = now()
    by_name = {str(pod["metadata"]["name"]): pod for pod in pods}
    fresh = [(name, reason) for name, reason in found.surprised if name in by_name and _news(context, by_name[name], reason, moment)]
    if len(context.told) > _KNOWN:
        context.told.clear()
    for name, reason in fresh[:MOST]:
        pod = by_name[name]
        context.told[namespace, behind(pod), reason] = moment
        await context.recorder.warn(await _owner(context, pod), reason=reason, message=f"not instrumented: {_SENTENCES[reason]}")


def _news(context: Context, pod: Manifest, reason: str, moment: datetime) -> bool:
    told = context.told.get((str(pod["metadata"]["namespace"]), behind(pod), reason))
    return told is None or abs(moment - told) >= AGAIN


async def _owner(context: Context, pod: Manifest) -> Manifest:
    try:
        body = await find(context.client, behind(pod), str(pod["metadata"]["namespace"]))
    except Refused:
        body = None
    return body or {**pod, "apiVersion": POD.api_version, "kind": POD.kind}
