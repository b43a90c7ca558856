"""The gateway: its configuration and the objects that run it."""

from __future__ import annotations

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.plan.collector.autoscaler import autoscaler
from llmobs.plan.collector.config import config as bare_config
from llmobs.plan.collector.config import text
from llmobs.plan.collector.configmap import FILE, LARGEST, configmap
from llmobs.plan.collector.deployment import deployment
from llmobs.plan.collector.networkpolicy import networkpolicy
from llmobs.plan.collector.poddisruptionbudget import poddisruptionbudget
from llmobs.plan.collector.podmonitor import podmonitor
from llmobs.plan.collector.rbac import cluster_role, cluster_role_binding
from llmobs.plan.collector.service import service
from llmobs.plan.collector.serviceaccount import serviceaccount
from llmobs.plan.inputs import Inputs, Manifest, Part

__all__ = ["bare_config", "parts", "text"]


def parts(inputs: Inputs) -> tuple[Part, ...]:
    """The gateway as one part. Without prometheus-operator there is no PodMonitor; the gateway runs all the same.

    A configuration too large for a ConfigMap is not applied at all: ApplyFailed keeps what runs from being pruned.
    """
    configuration = configmap(inputs)
    size = len(configuration["data"][FILE].encode())
    if size > LARGEST:
        return (Part(ConditionType.COLLECTOR_READY, (), _too_large(size)),)
    return (Part(ConditionType.COLLECTOR_READY, _manifests(inputs, configuration)),)


def _manifests(inputs: Inputs, configuration: Manifest) -> tuple[Manifest, ...]:
    always = (
        serviceaccount(inputs),
        cluster_role(),
        cluster_role_binding(inputs),
        configuration,
        networkpolicy(inputs),
        service(inputs),
        poddisruptionbudget(inputs),
        deployment(inputs, configuration["metadata"]["name"]),
    )
    scaled = (autoscaler(inputs),) if inputs.settings.gateway.max_replicas else ()
    return (*always, *scaled, *((podmonitor(inputs),) if inputs.facts.prometheus_operator else ()))


def _too_large(size: int) -> Finding:
    said = (
        f"the gateway's configuration would take {size} bytes, and a ConfigMap holds {LARGEST}; the previous configuration keeps serving. "
        "Price fewer models in LLMPriceLists, or let namespaces name a destination instead of receivers of their own"
    )
    return Finding(ConditionType.COLLECTOR_READY, Status.FALSE, Reason.APPLY_FAILED, said)
