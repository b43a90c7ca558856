"""What dashboards are called: stable uids and file names."""

from __future__ import annotations

from llmobs.api.names import bounded, short

FLEET = "fleet"
NAMESPACE = "namespace"

FLEET_OBJECT = "llmobs-fleet-dashboard"
"""Name of the ConfigMap of the fleet's dashboard."""


def dashboard_uid(dashboard: str, *owner: str) -> str:
    """The uid in Grafana of a dashboard of ``owner`` (namespace and policy; nothing for the fleet's); at most 40 characters."""
    return f"llm-{dashboard}-{short('/'.join((*owner, dashboard)), 12)}" if owner else f"llm-{dashboard}"


def file_name(dashboard: str, *owner: str) -> str:
    """The key in the ConfigMap. Grafana's sidecar puts all files into one folder, so it is unique in the cluster.

    Dots keep it so: a namespace has none, so ``a`` with ``b-c`` and ``a-b`` with ``c`` stay two files. A policy's name may be as long
    as a whole key.
    """
    return ".".join(("llmobs", *(bounded(name, 128) for name in owner), dashboard, "json"))
