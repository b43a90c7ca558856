"""How to recognise that another agent instruments a pod for Python, or was asked to."""

from __future__ import annotations

from llmobs.inject.pod import Meta, Spec

INIT_CONTAINERS = {
    "opentelemetry-auto-instrumentation-python": "opentelemetry-operator",
    "datadog-lib-python-init": "Datadog",
    "newrelic-instrumentation-python": "New Relic",
    "dash0-instrumentation": "Dash0",
}

ANNOTATIONS = {
    "instrumentation.opentelemetry.io/inject-python": "opentelemetry-operator",
    "admission.datadoghq.com/python-lib.version": "Datadog",
}
"""Annotations on the pod that ask an agent which may come after us; ``"false"`` asks for nothing."""


def other_agent(meta: Meta, spec: Spec) -> str | None:
    """The name of another agent in this pod; none when there is none."""
    for container in spec.init_containers or ():
        if container.name in INIT_CONTAINERS:
            return INIT_CONTAINERS[container.name]
    if not meta.annotations:
        return None
    asked = (agent for key, agent in ANNOTATIONS.items() if meta.annotations.get(key, "false").lower() != "false")
    return next(asked, None)
