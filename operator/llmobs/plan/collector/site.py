"""One gateway: whom it serves, where it runs, what it is called, how large it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from llmobs.api import names
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.collector import Collector, CollectorMode
from llmobs.plan.inputs import Inputs

INSTANCE = "app.kubernetes.io/instance"


@dataclass(frozen=True)
class Site:
    """What the objects of a gateway have in common."""

    inputs: Inputs
    """What it is configured by; of policies only those that it serves."""
    name: str
    namespace: str
    owner: str
    """``fleet``, or the uid of the policy that it was made for."""
    identity: dict[str, str]
    """Labels by which its pods are found. Never changed: a Deployment's selector cannot be."""
    replicas: int
    cpu: str
    memory: str
    max_replicas: int = 0
    confined: bool = False
    """Whether it serves one namespace and knows the pods of no other."""
    labels: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Every object carries who made it, and for whom."""
        object.__setattr__(self, "labels", {**names.labels(self.owner, self.identity["app.kubernetes.io/component"]), **self.identity})

    def metadata(self, name: str = "") -> dict[str, Any]:
        """Metadata of one of its objects."""
        return {"name": name or self.name, "namespace": self.namespace, "labels": dict(self.labels)}


def shared(inputs: Inputs) -> Site:
    """The platform's gateway, for all namespaces that have no other."""
    gateway = inputs.settings.gateway
    return Site(
        inputs=inputs,
        name=names.GATEWAY,
        namespace=inputs.facts.namespace,
        owner="fleet",
        identity={"app.kubernetes.io/name": names.OPERATOR, "app.kubernetes.io/component": "gateway"},
        replicas=gateway.replicas,
        max_replicas=gateway.max_replicas,
        cpu=gateway.cpu,
        memory=gateway.memory,
    )


def dedicated(inputs: Inputs, policy: Policy) -> Site:
    """The gateway of one policy, in its namespace."""
    size = inputs.settings.dedicated
    name, place = policy.identity.name, policy.identity.namespace
    # its neighbours are not served, but their thresholds make bucket bounds that series of one namespace must share
    served = tuple(_seen_by(policy, other) for other in inputs.policies if other.identity.namespace == place)
    others = tuple(other for other in inputs.policies if other.identity.namespace != place)
    return Site(
        inputs=replace(inputs, policies=served, others=others, stand_ins=()),
        name=names.dedicated(name),
        namespace=policy.identity.namespace,
        owner=policy.identity.uid,
        identity={
            "app.kubernetes.io/name": names.OPERATOR,
            "app.kubernetes.io/component": "dedicated-gateway",
            INSTANCE: names.bounded(name),
        },
        replicas=size.replicas,
        cpu=size.cpu,
        memory=size.memory,
        confined=True,
    )


def _seen_by(policy: Policy, other: Policy) -> Policy:
    mode = CollectorMode.SHARED if other.key == policy.key else CollectorMode.EXTERNAL
    return replace(other, spec=replace(other.spec, collector=Collector(mode=mode, source=other.spec.collector.source)))
