"""The installation's key of hashed texts: made once, where a policy asks for it, and then left alone.

Another key would make equal texts unequal. So nothing owns the Secret: it outlives an installation, and who wants another key deletes it.
"""

from __future__ import annotations

import base64
import secrets

from llmobs.api import names
from llmobs.cluster.client import Client
from llmobs.cluster.kinds import SECRET
from llmobs.cluster.live import FLEET

BYTES = 32


async def keep(client: Client, namespace: str) -> bool:
    """Make the key where there is none; whether one was made."""
    if await client.get(SECRET, names.HASH_KEY, namespace=namespace) is not None:
        return False
    meta = {"name": names.HASH_KEY, "namespace": namespace, "labels": names.labels(FLEET, "gateway")}
    data = {names.HASH_KEY_FIELD: base64.b64encode(secrets.token_hex(BYTES).encode()).decode()}
    await client.apply({"apiVersion": "v1", "kind": SECRET.kind, "metadata": meta, "type": "Opaque", "data": data})
    return True
