"""The kinds of the API group, with what ``kubectl get`` shows of them."""

from __future__ import annotations

from llmobs.api.v1alpha1.fleet import ClusterLLMObservabilitySpec
from llmobs.api.v1alpha1.observability import LLMObservabilitySpec
from llmobs.api.v1alpha1.pricelist import LLMPriceListSpec
from llmobs.api.v1alpha1.status import FleetStatus, LLMObservabilityStatus, PriceListStatus
from llmobs.kit.crd import Column, Kind

_READY = Column(name="Ready", path='.status.conditions[?(@.type=="Ready")].status')
_WHY = Column(name="Reason", path='.status.conditions[?(@.type=="Ready")].reason', priority=1)
_AGE = Column(name="Age", path=".metadata.creationTimestamp", type="date")

POLICY = Kind(
    kind="LLMObservability",
    plural="llmobservabilities",
    short=("llmobs",),
    namespaced=True,
    spec=LLMObservabilitySpec,
    status=LLMObservabilityStatus,
    columns=(
        _READY,
        Column(name="Injected", path=".status.injected"),
        Column(name="Spend", path=".status.spend.monthToDateUSD", type="number"),
        Column(name="Budget", path=".status.budget"),
        Column(name="State", path=".status.state"),
        _WHY,
        _AGE,
    ),
)

FLEET = Kind(
    kind="ClusterLLMObservability",
    plural="clusterllmobservabilities",
    short=("cllmobs",),
    namespaced=False,
    spec=ClusterLLMObservabilitySpec,
    status=FleetStatus,
    columns=(_READY, Column(name="Priority", path=".spec.priority", type="integer"), _WHY, _AGE),
)

PRICES = Kind(
    kind="LLMPriceList",
    plural="llmpricelists",
    short=("llmprices",),
    namespaced=False,
    spec=LLMPriceListSpec,
    status=PriceListStatus,
    columns=(_READY, _WHY, _AGE),
)

KINDS = (POLICY, FLEET, PRICES)
