"""What a policy asks of the collectors in its pods: the part of their configuration that treats prompts and answers."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from llmobs.api import names
from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.collector import NATIVE_SIDECARS
from llmobs.api.v1alpha1.content import UserIds
from llmobs.catalogue import sidecar
from llmobs.plan.collector.ottl import assign, drop, group, literal, resource
from llmobs.plan.collector.policies import CAPTURE
from llmobs.plan.collector.privacy import privacy
from llmobs.plan.collector.treatment import PLAIN, treatment
from llmobs.plan.inputs import Inputs, Manifest, Part

_NOT_PLAIN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What YAML, as which a collector reads its variable, refuses or takes for the end of a line, and JSON does not."""


def part(inputs: Inputs, policy: Policy) -> Part:
    """The ConfigMap beside the policy; and, where the API server knows no native sidecars, which pods go without."""
    made = configmap(policy)
    size = len(made["data"][sidecar.FILE].encode())
    if size > sidecar.LARGEST:
        return Part(ConditionType.COLLECTOR_READY, (), _too_large(size))
    return Part(ConditionType.COLLECTOR_READY, (made,), _without_native(inputs))


def _too_large(size: int) -> Finding:
    """A container with a larger variable is not started; without the ConfigMap it is."""
    said = (
        f"what the collectors in pods are told would take {size} bytes, and a variable holds {sidecar.LARGEST}; they keep to what they "
        "were told before, or let no text out. Shorten content.maskPatterns"
    )
    return Finding(ConditionType.COLLECTOR_READY, Status.FALSE, Reason.APPLY_FAILED, said)


def configmap(policy: Policy) -> Manifest:
    """The ConfigMap that pods of the policy read when their collector starts: one that starts anew reads the newest."""
    where = policy.identity
    meta = {"name": names.sidecar(where.name), "namespace": where.namespace, "labels": names.labels(where.uid, "sidecar")}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {sidecar.FILE: text(policy)}}


def text(policy: Policy) -> str:
    """What is laid over the built-in configuration: the same steps as the gateway's own, for the one class of content of this policy."""
    asked = treatment(policy.spec.content)
    if asked.users is UserIds.HASH:
        asked = replace(asked, users=UserIds.KEEP)  # the key stays with the gateway, which hashes them
    steps = privacy([] if asked == PLAIN else [asked])
    # a client must not choose its class, and the note is for these steps alone
    forget = group("resource", [drop("resource.attributes", r"^llmobs(\.|$)")])
    chosen = [] if asked == PLAIN else [group("resource", [assign(resource(CAPTURE), literal(asked.name))])]
    made: dict[str, Any] = {**steps, "trace_statements": [forget, *chosen, *steps["trace_statements"], forget]}
    said = json.dumps({"processors": {sidecar.PRIVACY: made}}, ensure_ascii=False, separators=(",", ":")).replace("$", "$$")
    return _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", said)


def _without_native(inputs: Inputs) -> Finding | None:
    version = inputs.facts.version
    if version is None or (inputs.settings.sidecar.native and version >= NATIVE_SIDECARS):
        return None
    said = (
        f"this API server ({'.'.join(map(str, version))}) runs no native sidecars: the collector is an ordinary container, and pods that "
        "must complete, such as those of Jobs, are left alone with the reason SidecarUnavailable; choose collector.mode Shared for them"
    )
    return Finding(ConditionType.COLLECTOR_READY, Status.TRUE, Reason.NO_NATIVE_SIDECARS, said)
