"""What dashboards are called: stable uids and file names."""

from __future__ import annotations

from llmobs.api.names import short

FLEET = "fleet"
NAMESPACE = "namespace"


def dashboard_uid(dashboard: str, *owner: str) -> str:
    """The uid in Grafana of a dashboard of ``owner`` (namespace and policy; nothing for the fleet's); at most 40 characters."""
    return f"llm-{dashboard}-{short('/'.join((*owner, dashboard)), 12)}" if owner else f"llm-{dashboard}"


def file_name(dashboard: str, *owner: str) -> str:
    """The key in the ConfigMap. Grafana's sidecar puts all files into one folder, so it is unique in the cluster.

    Dots keep it so: a namespace has none, so ``a`` with ``b-c`` and ``a-b`` with ``c`` stay two files.
    """
    return ".".join(("llmobs", *owner, dashboard, "json")) if len(owner) < 2 or len(owner[1]) <= 128 else _shortened(dashboard, *owner)


def _shortened(dashboard: str, *owner: str) -> str:
    """A key has at most 253 characters, and so has the name of a policy."""
    return ".".join(("llmobs", owner[0], f"{owner[1][:100]}-{short(owner[1])}", dashboard, "json"))
