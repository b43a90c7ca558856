"""How pods are instrumented."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from llmobs.api.v1alpha1.resources import InitResources
from llmobs.catalogue.languages import languages
from llmobs.kit.durations import SHORT, seconds
from llmobs.kit.schema import Rule, prop

OWN_VARIABLES = (
    "LLMOBS_ENDPOINT",
    "LLMOBS_CONTENT",
    "LLMOBS_VECTOR_STORES",
    "LLMOBS_RESOURCE_ATTRIBUTES",
    "LLMOBS_POD_NAME",
    "LLMOBS_POD_UID",
    "LLMOBS_NODE_NAME",
)
"""Variables whose values follow from other fields."""


IMAGE_VOLUMES = (1, 36)
"""Since this version of Kubernetes every API server takes volumes from images; earlier ones drop them or refuse the pod."""


class Delivery(enum.Enum):
    """How files get into a pod."""

    INIT_CONTAINER = "InitContainer"
    IMAGE_VOLUME = "ImageVolume"


class OnOtherAgent(enum.Enum):
    """What is done about a pod that another agent instruments."""

    SKIP = "Skip"
    ADD_EXPORTER = "AddExporter"


class InjectionMode(enum.Enum):
    """Which matching pods are instrumented."""

    AUTO = "Auto"
    OPT_IN = "OptIn"
    DISABLED = "Disabled"


@dataclass(frozen=True, kw_only=True)
class Containers:
    """Which containers of a pod are instrumented."""

    include: tuple[str, ...] = prop((), max_items=64)
    """Names of the containers to instrument; empty means every app container.
    An init container is only ever instrumented when named here."""
    exclude: tuple[str, ...] = prop((), max_items=64)
    """Names of containers to leave alone; wins over include."""


@dataclass(frozen=True, kw_only=True)
class EnvVar:
    """One environment variable."""

    name: str = prop(
        pattern=r"^[-._a-zA-Z][-._a-zA-Z0-9]*$",
        max_length=256,
        rules=(
            Rule(
                cel=f"!(self in [{', '.join(repr(name) for name in OWN_VARIABLES)}])",
                message="follows from other fields of this resource; set it on the pod itself where one pod must differ",
                holds=lambda name: name not in OWN_VARIABLES,
            ),
        ),
    )
    """The variable's name."""
    value: str = prop("", max_length=32768)
    """Its value; $(OTHER) refers to another variable of the container."""


class RolloutMode(enum.Enum):
    """Whether workloads are restarted."""

    NEVER = "Never"
    ROLLING = "Rolling"


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """Whether workloads are restarted so that their pods come to be as the policy says."""

    mode: RolloutMode = prop(RolloutMode.NEVER)
    """Never: pods change when their workload restarts for reasons of its own. Rolling: Deployments, StatefulSets and DaemonSets with pods
    that are outdated, were missed, or are older than the policy are restarted, each at most once for each change of what the policy
    does to pods; never one that is paused or whose rollout is not complete. Default Never."""
    max_concurrent: int = prop(1, minimum=1, maximum=100)
    """How many of the policy's workloads may be restarting at a time. Default 1."""


@dataclass(frozen=True, kw_only=True)
class Rollback:
    """When a workload that crash-loops is no longer instrumented."""

    enabled: bool = prop(True)
    """Whether a workload whose instrumented pods crash-loop, and did not before, or wait for minutes for a container or an image of ours,
    is restarted once without instrumentation and left alone until a person removes the annotation llmobs.dev/rolled-back from its pod
    template. One that only waited for an image of ours is tried again without a person, a few times. Default true."""
    restarts: int = prop(3, minimum=1, maximum=100)
    """So many restarts of one container within the window are a crash loop. Default 3."""
    window: str = prop(
        "10m",
        pattern=SHORT,
        rules=(
            Rule(
                cel="duration(self) >= duration('1m') && duration(self) <= duration('1h')",
                message="must be between 1m and 1h",
                holds=lambda text: 60 <= seconds(text) <= 3600,
            ),
        ),
    )
    """The time within which restarts count, 1m to 1h. Default 10m."""


@dataclass(frozen=True, kw_only=True)
class Injection:
    """How pods are instrumented."""

    mode: InjectionMode = prop(InjectionMode.AUTO)
    """Auto: every matching pod unless labelled llmobs.dev/inject=false. OptIn: only pods labelled llmobs.dev/inject=true.
    Disabled: none, whatever the labels say. Default Auto."""
    languages: tuple[str, ...] = prop(("python",), min_items=1, max_items=8, pattern=f"^({'|'.join(languages())})$")
    """What is done for the containers. python: our files and LLMOBS_ variables, for Python 3.10 and newer. sdk: for
    applications in any language that bring their own OpenTelemetry SDK, its variables only: where to send spans unless the
    pod says where anything goes, and resource attributes beside the pod's own. Where logs go stays as it is, and where
    metrics go unless collector.source is Metrics.
    Default python."""
    vector_stores: bool = prop(False)
    """Whether Python applications' searches in vector stores are told too, one span without content for each: Chroma, Milvus, Pinecone,
    Qdrant and Weaviate. Default false."""
    containers: Containers = prop(factory=Containers)
    """Which containers of a pod are instrumented."""
    delivery: Delivery = prop(Delivery.INIT_CONTAINER)
    """How our files get into a pod. InitContainer: an init container copies them into an emptyDir. ImageVolume: the image itself
    is mounted, without an init container and without room on the node's disk. That needs an API server of Kubernetes 1.36 or
    newer, nodes whose kubelet is not older than 1.35 and whose container runtime mounts images (containerd 2.1, CRI-O 1.33);
    before 1.36 it is refused and no pod is changed. Default InitContainer."""
    on_other_agent: OnOtherAgent = prop(OnOtherAgent.SKIP)
    """What is done about a pod that another agent (opentelemetry-operator, Datadog, New Relic, Dash0, Odigos) instruments for Python.
    Skip: it is left alone. AddExporter: ours joins it; our entry stands first in PYTHONPATH then and starts the other agent as it would
    start without us, its spans of models also reach the gateway, and what it does not tell of is told by ours. Applies to the
    language python; sdk never joins. Default Skip."""
    env: tuple[EnvVar, ...] = prop((), max_items=64, keys=("name",))
    """Extra variables for instrumented containers. A variable that the pod sets itself is never replaced."""
    resources: InitResources = prop(factory=InitResources)
    """Requests and limits of our init container. They move the figures, never the pod's QoS class nor what it asks of a node."""
    rollout: Rollout = prop(factory=Rollout)
    """Whether workloads are restarted so that their pods come to be as the policy says."""
    rollback: Rollback = prop(factory=Rollback)
    """When a workload that crash-loops is no longer instrumented."""
