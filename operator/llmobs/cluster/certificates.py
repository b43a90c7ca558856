"""Keep the webhook's certificate: authority and leaf in two Secrets, the authority in the webhook configuration.

The controller is the only writer. What is trusted is published before anything is served that needs it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from llmobs.api import names
from llmobs.cluster.authority import Pair, authority, bundle, due, expiry, leaf, serves, usable
from llmobs.cluster.client import Client, Manifest
from llmobs.cluster.installation import AUTHORITY, CERTIFICATE, WEBHOOK, Owners
from llmobs.cluster.kinds import SECRET, WEBHOOKS
from llmobs.cluster.live import FLEET


def hosts(namespace: str) -> list[str]:
    """The names under which the API server calls the webhook."""
    return [f"{WEBHOOK}.{namespace}.svc", f"{WEBHOOK}.{namespace}.svc.cluster.local"]


async def keep(client: Client, namespace: str, owners: Owners, now: datetime) -> datetime:
    """Make, renew and publish what is missing, due or changed by somebody else; returns when the leaf expires."""
    root, served = _Stored(client, namespace, AUTHORITY, owners), _Stored(client, namespace, CERTIFICATE, owners)
    kept, shown = await root.read(), await served.read()
    issuer = Pair(certificate=kept.get("ca.crt", ""), key=kept.get("ca.key", ""))
    if not usable(issuer) or due(issuer.certificate, now):
        issuer = authority(now)
    # what pods still serve was signed by what stands in their own Secret, even if the authority's was lost
    trusted = bundle(issuer.certificate, kept.get("ca.crt", "") + shown.get("ca.crt", ""), now)
    await root.write(kept, {"ca.crt": trusted, "ca.key": issuer.key})
    await _publish(client, trusted)
    pair = Pair(certificate=shown.get("tls.crt", ""), key=shown.get("tls.key", ""))
    if due(pair.certificate, now) or not serves(pair, issuer, hosts(namespace)):
        pair = leaf(issuer, hosts(namespace), now)
    await served.write(shown, {"tls.crt": pair.certificate, "tls.key": pair.key, "ca.crt": trusted})
    return expiry(pair.certificate)


@dataclass(frozen=True)
class _Stored:
    """One Secret of text."""

    client: Client
    namespace: str
    name: str
    owners: Owners

    async def read(self) -> Mapping[str, str]:
        found = await self.client.get(SECRET, self.name, namespace=self.namespace)
        data = (found or {}).get("data") or {}
        return {key: base64.b64decode(value).decode(errors="replace") for key, value in data.items()}

    async def write(self, kept: Mapping[str, str], wanted: Mapping[str, str]) -> None:
        if kept == wanted:
            return
        meta: Manifest = {"name": self.name, "namespace": self.namespace, "labels": names.labels(FLEET, "webhook")}
        if True in self.owners:
            meta["ownerReferences"] = [dict(self.owners[True])]
        data = {key: base64.b64encode(value.encode()).decode() for key, value in wanted.items()}
        await self.client.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data})


async def _publish(client: Client, trusted: str) -> None:
    configuration = await client.get(WEBHOOKS, WEBHOOK)
    wanted = base64.b64encode(trusted.encode()).decode()
    found = [item for item in (configuration or {}).get("webhooks") or [] if "service" in item["clientConfig"]]
    if all(item["clientConfig"].get("caBundle") == wanted for item in found):
        return
    part = [{"name": item["name"], "clientConfig": {"caBundle": wanted}} for item in found]
    await client.apply({"apiVersion": WEBHOOKS.api_version, "kind": WEBHOOKS.kind, "metadata": {"name": WEBHOOK}, "webhooks": part})
