"""What the chart installed, by its fixed names, and how what we create is bound to it: owner references instead of finalizers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.errors import Refused
from llmobs.cluster.kinds import CONFIG_MAP, DEPLOYMENT, WEBHOOKS
from llmobs.kit.decode import decode

SETTINGS = "llmobs-settings"
"""ConfigMap that owns the fleet's namespaced objects: uninstalling the chart takes them along."""
WEBHOOK = "llmobs-webhook"
"""Deployment, Service and MutatingWebhookConfiguration of admission."""
CERTIFICATE = "llmobs-webhook-cert"
"""Secret with the webhook's serving certificate, mounted by its pods."""
ADMISSION = "llmobs-admission-policies"
"""ClusterRole that exists where the API server itself instruments, and owns what makes it do so: that goes when the chart leaves it out."""
INJECTOR = "cert-manager.io/inject-ca-from"
"""Annotation on the webhook configuration that leaves certificate and authority to cert-manager."""
AUTHORITY = "llmobs-webhook-ca"
"""Secret with the certificate authority; nobody but the controller reads it."""

Owners = Mapping[bool, Mapping[str, Any]]
"""Owner reference by whether the object that is owned has a namespace."""


def reference(manifest: Manifest) -> dict[str, Any]:
    """An owner reference to an object. Without blockOwnerDeletion, which would need rights on finalizers."""
    return {
        "apiVersion": manifest["apiVersion"],
        "kind": manifest["kind"],
        "name": manifest["metadata"]["name"],
        "uid": manifest["metadata"]["uid"],
    }


async def owners(client: Client, namespace: str) -> Owners:
    """The owner of the fleet's objects; none where the operator was not installed by its chart."""
    settings = await client.get(CONFIG_MAP, SETTINGS, namespace=namespace)
    return {True: reference(settings)} if settings else {}


async def broken(client: Client, namespace: str) -> str | None:
    """What keeps admission from instrumenting pods, in one sentence; None when nothing does."""
    configuration = await client.get(WEBHOOKS, WEBHOOK)
    if configuration is None:
        return f"there is no MutatingWebhookConfiguration {WEBHOOK}, so no pod is instrumented; install the chart's webhook"
    services = [item["clientConfig"] for item in configuration.get("webhooks") or [] if "service" in item["clientConfig"]]
    if any(not item.get("caBundle") for item in services):
        return "the webhook's certificate is not published yet"
    return await _away(client, namespace) if services else None


async def unasked(client: Client, namespace: str, labels: Mapping[str, str]) -> str:
    """Why nobody asks us about the pods of a namespace; empty when somebody does, or that can't be seen."""
    try:
        configuration = await client.get(WEBHOOKS, WEBHOOK)
    except Refused:  # who asks may not see it
        return ""
    selectors = [decode(LabelSelector, item.get("namespaceSelector") or {}) for item in (configuration or {}).get("webhooks") or []]
    if not selectors or any(item.matches({"kubernetes.io/metadata.name": namespace, **labels}) for item in selectors):
        return ""
    return (
        f"the webhook is not asked about pods of namespace {namespace}: the chart's watch.namespaces leaves it out or its "
        "webhook.excludedNamespaces names it, or it is labelled llmobs.dev/exclude"
    )


async def _away(client: Client, namespace: str) -> str | None:
    deployment = await client.get(DEPLOYMENT, WEBHOOK, namespace=namespace)
    if deployment is None:
        return f"there is no Deployment {namespace}/{WEBHOOK}, so no pod is instrumented; install the chart's webhook"
    if not (deployment.get("status") or {}).get("availableReplicas"):
        return f"no pod of Deployment {namespace}/{WEBHOOK} is ready; pods created now are not instrumented"
    return None
