"""The PodMonitor by which Prometheus reads the derived series and the gateway's own."""

from __future__ import annotations

from llmobs.plan.collector.objects import SELECTOR, metadata
from llmobs.plan.inputs import Inputs, Manifest


def podmonitor(inputs: Inputs) -> Manifest:
    """Two endpoints of every pod; the platform's labels let its Prometheus select it."""
    gateway, about = inputs.settings.gateway, metadata(inputs)
    about["labels"] = {**gateway.pod_monitor_labels, **about["labels"]}
    endpoints = [{"port": port, "path": "/metrics", "interval": gateway.scrape_interval} for port in ("metrics", "self-metrics")]
    spec = {"selector": {"matchLabels": dict(SELECTOR)}, "podMetricsEndpoints": endpoints}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor", "metadata": about, "spec": spec}
