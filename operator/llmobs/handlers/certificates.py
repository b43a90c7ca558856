"""The webhook's certificate, where a webhook is installed."""

from __future__ import annotations

from llmobs.cluster.certificates import keep
from llmobs.cluster.installation import INJECTOR, WEBHOOK
from llmobs.cluster.kinds import WEBHOOKS
from llmobs.handlers.context import Context, now

SOON = 10.0
"""Seconds after which a webhook configuration that its chart is about to create is looked for again."""


async def reconcile(context: Context) -> float | None:
    """Keep certificate and configuration in step; returns when to look again while there is no configuration yet."""
    if context.settings.admission.native:
        return None
    configuration = await context.client.get(WEBHOOKS, WEBHOOK)
    if INJECTOR in ((configuration or {}).get("metadata") or {}).get("annotations", {}):
        return None  # cert-manager keeps both
    if not any("service" in item["clientConfig"] for item in (configuration or {}).get("webhooks") or []):
        return SOON if context.owners else None
    ends = await keep(context.client, context.namespace, context.owners, now())
    context.metrics.certificate.set(ends.timestamp())
    return None
