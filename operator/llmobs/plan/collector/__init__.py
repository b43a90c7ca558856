"""The gateway: its configuration and the objects that run it."""

from __future__ import annotations

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.collector import CollectorMode
from llmobs.plan.collector import policies, sidecar
from llmobs.plan.collector.autoscaler import autoscaler
from llmobs.plan.collector.config import config as bare_config
from llmobs.plan.collector.config import text
from llmobs.plan.collector.configmap import FILE, LARGEST, configmap
from llmobs.plan.collector.deployment import deployment
from llmobs.plan.collector.networkpolicy import networkpolicy
from llmobs.plan.collector.poddisruptionbudget import poddisruptionbudget
from llmobs.plan.collector.podmonitor import podmonitor
from llmobs.plan.collector.rbac import rbac
from llmobs.plan.collector.service import service
from llmobs.plan.collector.serviceaccount import serviceaccount
from llmobs.plan.collector.site import Site, dedicated, shared
from llmobs.plan.collector.statefulset import statefulset
from llmobs.plan.inputs import Inputs, Manifest, Part

__all__ = ["bare_config", "keyed", "parts", "policy_parts", "text"]


def parts(inputs: Inputs) -> tuple[Part, ...]:
    """The platform's gateway as one part. Without prometheus-operator there is no PodMonitor; the gateway runs all the same."""
    return (_part(shared(inputs)),)


def keyed(inputs: Inputs) -> bool:
    """Whether the platform's gateway hashes texts or users, for which it needs the installation's key."""
    return policies.hashing(inputs.governing)


def policy_parts(inputs: Inputs, policy: Policy) -> tuple[Part, ...]:
    """The gateway of a policy that has one of its own, or what the collectors in its pods are to do."""
    if policy.spec.collector.mode is CollectorMode.SIDECAR:
        return (sidecar.part(inputs, policy),)
    if policy.spec.collector.mode is not CollectorMode.DEDICATED:
        return ()
    if not inputs.settings.dedicated.enabled:
        return (Part(ConditionType.COLLECTOR_READY, (), _not_offered()),)
    return (_part(dedicated(inputs, policy)),)


def _part(site: Site) -> Part:
    """A configuration too large for a ConfigMap is not applied at all: ApplyFailed keeps what runs from being pruned."""
    configuration = configmap(site)
    size = len(configuration["data"][FILE].encode())
    if size > LARGEST:
        return Part(ConditionType.COLLECTOR_READY, (), _too_large(size))
    return Part(ConditionType.COLLECTOR_READY, _manifests(site, configuration))


def _manifests(site: Site, configuration: Manifest) -> tuple[Manifest, ...]:
    always = (
        serviceaccount(site),
        *(rbac(site) if site.confined else ()),
        configuration,
        networkpolicy(site),
        service(site),
        poddisruptionbudget(site),
        _workload(site, configuration["metadata"]["name"]),
    )
    scaled = (autoscaler(site),) if site.max_replicas else ()
    return (*always, *scaled, *((podmonitor(site),) if site.inputs.facts.prometheus_operator else ()))


def _workload(site: Site, configuration: str) -> Manifest:
    made = deployment(site, configuration)
    # gateways of single policies have no volumes of the platform's
    return statefulset(site, made) if site.inputs.settings.gateway.queue_storage_class and not site.confined else made


def _not_offered() -> Finding:
    said = (
        "collector.mode Dedicated is not offered by this installation, so nothing receives what the pods send; "
        "choose Shared, or ask the platform for the chart's value dedicated.enabled"
    )
    return Finding(ConditionType.COLLECTOR_READY, Status.FALSE, Reason.NOT_AVAILABLE, said)


def _too_large(size: int) -> Finding:
    said = (
        f"the gateway's configuration would take {size} bytes, and a ConfigMap holds {LARGEST}; the previous configuration keeps serving. "
        "Price fewer models in LLMPriceLists, or let namespaces name a destination instead of receivers of their own"
    )
    return Finding(ConditionType.COLLECTOR_READY, Status.FALSE, Reason.APPLY_FAILED, said)
