"""Why a pod is instrumented or left alone: one word for programs, one sentence for people."""

from __future__ import annotations

import enum
from typing import Self


class Reason(enum.Enum):
    """The outcome of one admission: metric label, annotation value, status reason and log field at once."""

    sentence: str
    decision: str
    """The coarse outcome: ``injected``, ``skipped`` on purpose, or ``failed``."""

    def __new__(cls, word: str, sentence: str) -> Self:
        """A member's value is its word; the sentence comes along."""
        member = object.__new__(cls)
        member._value_ = word
        member.sentence = sentence
        member.decision = {"Injected": "injected", "Unreadable": "failed", "Failed": "failed"}.get(word, "skipped")
        return member

    INJECTED = "Injected", "The pod is instrumented."
    ALREADY_INJECTED = "AlreadyInjected", "Everything is in place already; nothing is missing."
    OPTED_OUT = "OptedOut", "The label llmobs.dev/inject on the pod or its namespace says false."
    INVALID_LABEL = "InvalidLabel", "The label llmobs.dev/inject is neither true nor false; correct it or remove it."
    NO_POLICY = "NoPolicy", "No LLMObservability of the namespace selects this pod."
    POLICY_DISABLED = "PolicyDisabled", "The policy has injection.mode Disabled, which no label overrides."
    NOT_OPTED_IN = "NotOptedIn", "The policy has injection.mode OptIn; label the pod or its namespace llmobs.dev/inject=true."
    MIRROR_POD = "MirrorPod", "A static pod: the kubelet runs it from a file, and a change here would not reach it."
    ROLLED_BACK = (
        "RolledBack",
        "The workload crash-looped or did not start when instrumented; to try again now, remove llmobs.dev/rolled-back from its template.",
    )
    HOST_NETWORK = "HostNetwork", "The pod uses the node's network, so its telemetry could not be told from its neighbours'."
    WINDOWS_NODE = "WindowsNode", "The pod runs on Windows, where the files to be copied do not work."
    OTHER_AGENT = "OtherAgent", "Another agent instruments this pod; with injection.onOtherAgent AddExporter ours would join it."
    NO_CONTAINER = "NoContainer", "No container is left: see injection.containers.include and exclude of the policy."
    ENVIRONMENT_HIDDEN = (
        "EnvironmentHidden",
        "Every container has envFrom, which may set OpenTelemetry's variables unseen; set them in injection.env or in the pod.",
    )
    DELIVERY_UNAVAILABLE = (
        "DeliveryUnavailable",
        "The policy's injection.delivery ImageVolume needs an API server of Kubernetes 1.36 or newer; choose InitContainer.",
    )
    LITTLE_STORAGE = (
        "LittleStorage",
        "The pod's limits of ephemeral-storage leave too little beside our files: raise them, or use injection.delivery ImageVolume.",
    )
    SIDECAR_UNAVAILABLE = (
        "SidecarUnavailable",
        "collector.mode Sidecar needs Kubernetes 1.29 for pods that must complete or have init containers to instrument; choose Shared.",
    )
    LITTLE_MEMORY = (
        "LittleMemory",
        "A LimitRange of the namespace allows a container less memory than the collector beside it needs; choose collector.mode Shared.",
    )
    LITTLE_QUOTA = (
        "LittleQuota",
        "A ResourceQuota, or a LimitRange for whole pods, counts what a collector in this pod must ask for; choose collector.mode Shared.",
    )
    NAME_TAKEN = "NameTaken", "The pod uses a container name, volume name, port or mount path of ours for something else."
    NOT_EXPRESSIBLE = (
        "NotExpressible",
        "Only the webhook can instrument this pod: the policy or the pod has something that an admission policy can't express.",
    )
    TOO_LARGE = "TooLarge", "With what we add, the pod or its annotations would be larger than an API server takes."
    NOT_A_POD = "NotAPod", "The request does not create a pod."
    UNREADABLE = "Unreadable", "The request could not be read."
    FAILED = "Failed", "An unexpected error; the log of the webhook has it."

    @property
    def surprising(self) -> bool:
        """Whether a pod is left alone for a reason that nobody chose, so that its owner should be told."""
        return self not in _CHOSEN


_CHOSEN = frozenset(
    {
        *(Reason.INJECTED, Reason.ALREADY_INJECTED, Reason.NO_POLICY, Reason.NOT_A_POD, Reason.ROLLED_BACK),
        *(Reason.OPTED_OUT, Reason.POLICY_DISABLED, Reason.NOT_OPTED_IN, Reason.MIRROR_POD),
    }
)
"""Done, chosen by a person, nobody's business, or told of where it was done."""
