"""How alerts are labelled and dashboards delivered."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from llmobs.kit.schema import prop


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """How alerts of this namespace are labelled and which are not wanted."""

    labels: Mapping[str, str] = prop(factory=dict, max_properties=16)
    """Labels put on every alert of this resource; Alertmanager routes by them."""
    disabled: tuple[str, ...] = prop((), max_items=32)
    """Names of alerts that are not wanted, such as LLMLatencyBudgetBurn."""


class Delivery(enum.Enum):
    """How dashboards reach Grafana."""

    CONFIG_MAP = "ConfigMap"
    NONE = "None"


@dataclass(frozen=True, kw_only=True)
class Dashboards:
    """How dashboards are delivered."""

    delivery: Delivery = prop(Delivery.CONFIG_MAP)
    """ConfigMap: a labelled ConfigMap in this namespace for Grafana's sidecar. None: no dashboards. Default ConfigMap."""
