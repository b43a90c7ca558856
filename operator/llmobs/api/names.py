"""Everything that is derived from names: API group, labels, annotations, names of the objects we own."""

from __future__ import annotations

import hashlib

GROUP = "llmobs.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

OPERATOR = "llm-observability-operator"
"""Field manager, value of app.kubernetes.io/managed-by, name of chart and image."""

INJECT = "llmobs.dev/inject"
INJECTED = "llmobs.dev/injected"
POLICY = "llmobs.dev/policy"
POLICY_REVISION = "llmobs.dev/policy-revision"
INJECTION = "llmobs.dev/injection"
RESTARTED = "llmobs.dev/restarted-for"
"""Annotation on the pod template of a workload that was restarted: for which revision of what its policy does to pods."""
ROLLED_BACK = "llmobs.dev/rolled-back"
"""Annotation on the pod template of a workload that crash-looped or did not start when it was instrumented; removing it tries again."""
WAITED = "llmobs.dev/waited-for"
"""Annotation on a workload that was rolled back because our image could not be had: which, when, how often. It is tried again by itself."""
OWNER = "llmobs.dev/owner"
"""Label on every object we own: which resource it was made for (``fleet`` or the owner's uid); prune goes by it."""
APPLIED = "llmobs.dev/applied-hash"
"""Annotation on every object we own: hash of what was applied, so that nothing is written twice."""

MANAGED_BY = "app.kubernetes.io/managed-by"

GATEWAY = "llmobs-gateway"
HASH_KEY = "llmobs-hash-key"
"""Secret with the key of every hash that leaves a gateway, in the gateway's namespace."""
HASH_KEY_FIELD = "key"
FLEET_RULES = "llmobs-fleet"
OTLP_HTTP_PORT = 4318
OTLP_GRPC_PORT = 4317
METRICS_PORT = 8889
SELF_METRICS_PORT = 8888
HEALTH_PORT = 13133


def labels(owner: str, component: str) -> dict[str, str]:
    """The labels of an object we own; ``owner`` is ``fleet`` or the uid of the resource it was made for."""
    return {
        "app.kubernetes.io/name": OPERATOR,
        "app.kubernetes.io/component": component,
        MANAGED_BY: OPERATOR,
        OWNER: owner,
    }


def dedicated(policy: str) -> str:
    """Name of the gateway of one policy."""
    return bounded(f"{GATEWAY}-{policy}")


def sidecar(policy: str) -> str:
    """Name of the ConfigMap with what a policy asks of the collectors in its pods."""
    return bounded(f"llmobs-sidecar-{policy}")


def gateway_endpoint(namespace: str, gateway: str = GATEWAY) -> str:
    """Base URL of a gateway for OTLP over HTTP, for pods anywhere in the cluster."""
    return f"http://{gateway}.{namespace}.svc:{OTLP_HTTP_PORT}"


def traces(endpoint: str) -> str:
    """The URL for traces below a base URL, for what appends no path itself."""
    return f"{endpoint.rstrip('/')}/v1/traces"


def metrics(endpoint: str) -> str:
    """The URL for metrics below a base URL."""
    return f"{endpoint.rstrip('/')}/v1/metrics"


def short(text: str, length: int = 10) -> str:
    """A stable hash of ``text`` fit for names."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def bounded(name: str, limit: int = 63) -> str:
    """``name`` cut to ``limit`` characters; a cut name ends in a hash of the whole, so that it stays unique."""
    return name if len(name) <= limit else f"{name[: limit - 11].rstrip('-.')}-{short(name)}"


def policy_rules(policy: str) -> str:
    """Name of the PrometheusRule of a policy; never the fleet's, which lives in a namespace that may have policies too."""
    made = bounded(f"llmobs-{policy}")
    return made if made != FLEET_RULES else f"llmobs.{policy}"


def admission_policy(namespace: str, policy: str) -> str:
    """Name of the MutatingAdmissionPolicy of a policy in a namespace; no namespace has a dot, so that each pair has its own."""
    return bounded(f"llmobs.{namespace}.{policy}", 253)


def policy_dashboard(policy: str, dashboard: str) -> str:
    """Name of the ConfigMap of one dashboard of a policy."""
    return bounded(f"llmobs-{policy}-{dashboard}")
