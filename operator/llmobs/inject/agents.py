"""How to recognise that another agent instruments a pod for Python, or was asked to."""

from __future__ import annotations

import re
from collections.abc import Mapping

from llmobs.inject.pod import EnvVar, Meta, Spec

INIT_CONTAINERS = {
    "opentelemetry-auto-instrumentation-python": "opentelemetry-operator",
    "datadog-lib-python-init": "Datadog",
    "newrelic-instrumentation-python": "New Relic",
    "dash0-instrumentation": "Dash0",
}
"""Exact names of the init containers that bring an agent."""

INIT_PREFIXES = {"nri-python--": "New Relic"}
"""Starts of names that go on with the name of the instrumented container."""

VOLUMES = {
    "opentelemetry-auto-instrumentation-python": "opentelemetry-operator",
    "dd-lib-python": "Datadog",
    "dash0-instrumentation": "Dash0",
}
"""Names of volumes, for agents that come as an image volume or from a CSI driver, without an init container."""

ANNOTATIONS = {
    "instrumentation.opentelemetry.io/inject-python": "opentelemetry-operator",
    "admission.datadoghq.com/python-lib.version": "Datadog",
    "admission.datadoghq.com/python-lib.custom-image": "Datadog",
    "admission.datadoghq.com/all-lib.version": "Datadog",
}
"""Annotations on the pod that ask an agent which may come after us; ``"false"`` asks for nothing."""

AROUND = ("instrumentation.opentelemetry.io/inject-python",)
"""Those of them that count on the pod's namespace too, for a pod that says nothing itself; to have no value is to say nothing.

So does opentelemetry-operator: https://github.com/open-telemetry/opentelemetry-operator/blob/main/internal/instrumentation/annotation.go
"""

FOR_ONE_CONTAINER = r"admission\.datadoghq\.com/.+\.python-lib\.(?:version|custom-image)"
"""Pattern of Datadog's annotations for one container of the pod."""

ODIGOS_DISTRIBUTION = "ODIGOS_DISTRO_NAME"
ODIGOS_FILES = "/var/odigos/python"
_FOR_ONE_CONTAINER = re.compile(FOR_ONE_CONTAINER)
_OF_ODIGOS = frozenset({ODIGOS_DISTRIBUTION, "PYTHONPATH"})
"""Odigos leaves no init container: its files lie on the node, and variables of the container say what is used."""


def asked_around(annotations: Mapping[str, str]) -> Mapping[str, str]:
    """What a namespace with these annotations asks for each of its pods: annotation -> the name of the agent."""
    return {key: ANNOTATIONS[key] for key in AROUND if annotations.get(key, "").lower() not in ("", "false")}


def other_agent(meta: Meta, spec: Spec, around: Mapping[str, str]) -> str | None:
    """The name of another agent in this pod; none when there is none. ``around`` is what its namespace asks for."""
    return _delivered(spec) or _asked(meta, around) or _by_variable(spec)


def joined(meta: Meta, spec: Spec, around: Mapping[str, str], *, joins: bool) -> str | None:
    """The name of the agent beside which this pod is instrumented by a policy that ``joins`` others; none when there is none."""
    return other_agent(meta, spec, around) if joins else None


def _delivered(spec: Spec) -> str | None:
    for container in spec.init_containers or ():
        name = container.name
        found = INIT_CONTAINERS.get(name) or next((agent for start, agent in INIT_PREFIXES.items() if name.startswith(start)), None)
        if found:
            return found
    mounted = [VOLUMES[volume.name] for volume in spec.volumes or () if volume.name in VOLUMES]
    return mounted[0] if mounted else None


def _asked(meta: Meta, around: Mapping[str, str]) -> str | None:
    own = meta.annotations or {}
    for key, value in own.items():
        if key in ANNOTATIONS and value.lower() != "false" and (value or key not in AROUND):
            return ANNOTATIONS[key]
        if key.startswith("admission.") and value.lower() != "false" and _FOR_ONE_CONTAINER.fullmatch(key):
            return "Datadog"
    return next((agent for key, agent in around.items() if not own.get(key)), None) if around else None


def _by_variable(spec: Spec) -> str | None:
    found = [item for container in spec.containers or () for item in container.env or () if item.name in _OF_ODIGOS]
    return "Odigos" if any(map(_of_odigos, found)) else None


def _of_odigos(item: EnvVar) -> bool:
    # "python-community" and the like: a pod in another language has the variable too.
    if item.name == ODIGOS_DISTRIBUTION:
        return (item.value or "").startswith("python")
    return item.name == "PYTHONPATH" and ODIGOS_FILES in (item.value or "")
