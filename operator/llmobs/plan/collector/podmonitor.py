"""The PodMonitor by which Prometheus reads the derived series and the gateway's own."""

from __future__ import annotations

from llmobs.plan.collector.site import Site
from llmobs.plan.inputs import Manifest

PROTOCOLS = ("PrometheusText0.0.4",)
"""By any newer one Prometheus 3 asks for names in UTF-8, and gets the collector's own with dots, which no alert goes by."""


def podmonitor(site: Site) -> Manifest:
    """Two endpoints of every pod; the platform's labels let its Prometheus select it."""
    gateway, about = site.inputs.settings.gateway, site.metadata()
    about["labels"] = {**gateway.pod_monitor_labels, **about["labels"]}
    endpoints = [{"port": port, "path": "/metrics", "interval": gateway.scrape_interval} for port in ("metrics", "self-metrics")]
    spec = {"selector": {"matchLabels": dict(site.identity)}, "podMetricsEndpoints": endpoints, "scrapeProtocols": [*PROTOCOLS]}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": about, "spec": spec}
