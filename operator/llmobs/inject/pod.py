"""The few fields of a pod that admission needs, decoded strictly; everything else passes unseen."""

from __future__ import annotations

import msgspec

Quantity = str | int | float
"""A resource quantity; numbers only in files, the API server sends text."""


class _Part(msgspec.Struct, rename="camel", gc=False):
    """Base of all parts: wire names in camel case, unknown fields ignored. They never refer back, so never form cycles."""


class Something(_Part):
    """An object of which only the presence matters."""


class EnvVar(_Part):
    """An environment variable; of ``valueFrom`` only its presence matters."""

    name: str = ""
    value: str | None = None
    value_from: Something | None = None


class Mount(_Part):
    """A volume in a container."""

    name: str = ""
    mount_path: str = ""


class Device(_Part):
    """A block device in a container; its path may not be used twice either."""

    device_path: str = ""


Figures = dict[str, Quantity]
"""Amounts by the resource's name."""


class Resources(_Part):
    """Requests and limits."""

    requests: Figures | None = None
    limits: Figures | None = None


class Port(_Part):
    """A port that a container says it listens on."""

    container_port: int = 0


class Container(_Part):
    """A container or init container; its words are read by the few who ask for them."""

    name: str = ""
    image: str = ""
    command: msgspec.Raw = msgspec.Raw(b"")
    args: msgspec.Raw = msgspec.Raw(b"")
    env: list[EnvVar] | None = None
    env_from: list[Something] | None = None
    volume_mounts: list[Mount] | None = None
    volume_devices: list[Device] | None = None
    resources: Resources | None = None
    ports: list[Port] | None = None


class Volume(_Part):
    """A volume; of ``emptyDir`` and ``image`` only their presence matters."""

    name: str = ""
    empty_dir: Something | None = None
    image: Something | None = None


class Named(_Part):
    """A reference by name."""

    name: str = ""


class Owner(_Part):
    """An owner reference."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class Meta(_Part):
    """A pod's metadata."""

    name: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[Owner] | None = None


class OperatingSystem(_Part):
    """``spec.os``."""

    name: str = ""


class NodeExpression(_Part):
    """One requirement on a node's labels."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class NodeTerm(_Part):
    """Requirements that a node must meet together."""

    match_expressions: list[NodeExpression] | None = None


class NodeSelector(_Part):
    """Terms of which a node must meet one."""

    node_selector_terms: list[NodeTerm] | None = None


class NodeAffinity(_Part):
    """Where the pod may run; preferences do not matter."""

    required: NodeSelector | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class Affinity(_Part):
    """``spec.affinity``."""

    node_affinity: NodeAffinity | None = None


class Spec(_Part):
    """A pod's spec."""

    containers: list[Container] | None = None
    init_containers: list[Container] | None = None
    volumes: list[Volume] | None = None
    image_pull_secrets: list[Named] | None = None
    host_network: bool | None = None
    os: OperatingSystem | None = None
    node_selector: dict[str, str] | None = None
    affinity: Affinity | None = None
    resources: Resources | None = None
    restart_policy: str = ""


class Pod(_Part):
    """A pod as it arrives at admission."""

    metadata: Meta | None = None
    spec: Spec | None = None


_DECODER = msgspec.json.Decoder(Pod)


def decode(body: bytes) -> Pod:
    """A pod from JSON. Raises ``msgspec.DecodeError`` (for a field of the wrong type: with its path) or ``RecursionError``."""
    return _DECODER.decode(body)
