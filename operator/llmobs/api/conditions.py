"""Condition types and their reasons: words of the API, once."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ConditionType(enum.Enum):
    """What is judged. ``Ready`` is computed from the others, never set."""

    ACCEPTED = "Accepted"
    INJECTION_READY = "InjectionReady"
    COLLECTOR_READY = "CollectorReady"
    RULES_READY = "RulesReady"
    DASHBOARDS_READY = "DashboardsReady"
    TELEMETRY_FLOWING = "TelemetryFlowing"
    WITHIN_BUDGET = "WithinBudget"
    READY = "Ready"


class Status(enum.Enum):
    """Kubernetes knows no fourth."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(enum.Enum):
    """Why a condition has its status."""

    ACCEPTED = "Accepted"
    RESTRICTED = "Restricted"
    INVALID = "Invalid"
    SHADOWED = "Shadowed"
    UNKNOWN_DESTINATION = "UnknownDestination"
    APPLIED = "Applied"
    APPLY_FAILED = "ApplyFailed"
    THRESHOLD_SHARED = "ThresholdShared"
    NOT_MEASURED = "NotMeasured"
    DISABLED = "Disabled"
    INJECTED = "Injected"
    NO_PODS = "NoPods"
    PODS_NOT_INJECTED = "PodsNotInjected"
    PODS_BEFORE_POLICY = "PodsBeforePolicy"
    ROLLED_BACK = "RolledBack"
    ROLLBACK_REFUSED = "RollbackRefused"
    RESTART_REFUSED = "RestartRefused"
    PODS_OUTDATED = "PodsOutdated"
    ROLLED_OUT = "RolledOut"
    ROLLING_OUT = "RollingOut"
    CONFIGURATION_REFUSED = "ConfigurationRefused"
    NO_NATIVE_SIDECARS = "NoNativeSidecars"
    EXTERNAL_ENDPOINT = "ExternalEndpoint"
    SECRET_MISSING = "SecretMissing"  # noqa: S105 - a reason, not a secret
    NOT_AVAILABLE = "NotAvailable"
    PROMETHEUS_OPERATOR_NOT_INSTALLED = "PrometheusOperatorNotInstalled"
    PROMETHEUS_NOT_CONFIGURED = "PrometheusNotConfigured"
    PROMETHEUS_UNREACHABLE = "PrometheusUnreachable"
    SERIES_FOUND = "SeriesFound"
    NO_SERIES = "NoSeries"
    NO_BUDGET = "NoBudget"
    WITHIN_BUDGET = "WithinBudget"
    BUDGET_WARNING = "BudgetWarning"
    BUDGET_EXCEEDED = "BudgetExceeded"
    READY = "Ready"
    NOT_READY = "NotReady"


@dataclass(frozen=True)
class Finding:
    """One condition before it has a time: what is judged, how, why, and what to do."""

    type: ConditionType
    status: Status
    reason: Reason
    message: str
