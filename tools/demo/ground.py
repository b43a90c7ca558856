"""What the demo stands on: its own node with monitoring on it, or the cluster that kubectl points to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from binaries.places import layout
from cluster import bud, images, monitoring
from cluster.packages import IMAGE_COMMANDS, NODE_COMMANDS, require
from cluster.settings import Settings, possible, settings
from cluster.start import up
from cluster.stop import down

from demo.kube import Kube, Prometheus
from demo.screen import fact

ROOT = Path(__file__).resolve().parents[2]
OPERATOR_IMAGE = "ghcr.io/llm-observability-operator/llm-observability-operator:demo"
PYTHON_IMAGE = "ghcr.io/llm-observability-operator/python:demo"
EXAMPLE_IMAGE = "docker.io/llmobs/example-chat:demo"


@dataclass(frozen=True)
class Ground:
    """Where the story is told."""

    kube: Kube
    prometheus: Prometheus
    alertmanager: tuple[str, str]
    """Namespace and ``service:port``."""
    images: Mapping[str, str]
    """``operator``, ``python``, ``example`` and ``collector``."""
    own: Settings | None
    """The cluster that is ours to take down."""


def own_node(log: Path) -> Ground:
    """Build what is missing and start a node with Prometheus and Alertmanager on it."""
    possible()
    require({**NODE_COMMANDS, **IMAGE_COMMANDS}, log.with_name("apt.log"))
    _binaries()
    built = project_images()
    where = settings(binaries=layout().bin)
    images.ensure(["pause", *monitoring.IMAGES, "otelcol"])
    if down(where):
        fact("(a cluster that an earlier run left was taken down)")
    up(where)
    monitoring.install(where.kubeconfig)
    kube = Kube(kubectl=layout().binary("kubectl"), helm=layout().binary("helm"), kubeconfig=where.kubeconfig, log=log)
    prometheus = Prometheus(kube=kube, namespace=monitoring.NAMESPACE, service="prometheus:web")
    return Ground(kube=kube, prometheus=prometheus, alertmanager=(monitoring.NAMESPACE, "alertmanager:web"), images=built, own=where)


def _binaries() -> None:
    """In a process of its own, which can be interrupted and goes on where it was."""
    if subprocess.run([sys.executable, str(ROOT / "tools" / "build.py")], check=False).returncode:
        raise Failed("test binaries", "could not be built; the reason stands above")


def project_images() -> dict[str, str]:
    """Our images, from our Dockerfile, and the example's from its own."""
    images.ensure(["python", "busybox"])
    bud.build(ROOT, OPERATOR_IMAGE, target="operator")
    bud.build(ROOT, PYTHON_IMAGE, target="python")
    bud.build(ROOT / "examples" / "chat", EXAMPLE_IMAGE)
    collector = images.statics()["otelcol"].name
    return {"operator": OPERATOR_IMAGE, "python": PYTHON_IMAGE, "example": EXAMPLE_IMAGE, "collector": collector}


_VARIABLES = {"operator": "OPERATOR_IMAGE", "python": "PYTHON_IMAGE", "example": "EXAMPLE_IMAGE"}


def current(log: Path, environ: Mapping[str, str] = os.environ) -> Ground:
    """The cluster that kubectl points to; the images must be where it can pull them."""
    programs = {name: shutil.which(name) for name in ("kubectl", "helm")}
    missing = [name for name, path in programs.items() if path is None]
    if missing:
        raise Failed("cluster", f"{' and '.join(missing)} not on the PATH; `make tools` builds them, `make tools-path` says where")
    unset = [variable for variable in _VARIABLES.values() if not environ.get(variable)]
    if unset:
        raise Failed("images", f"set {', '.join(unset)} to images that this cluster can pull (see docs/demo.md)")
    kube = Kube(kubectl=Path(str(programs["kubectl"])), helm=Path(str(programs["helm"])), kubeconfig=None, log=log)
    kube.run("version")
    if kube.get("crd", "prometheusrules.monitoring.coreos.com") is None:
        raise Failed("cluster", "has no prometheus-operator; install it first, the alerts need it")
    found = {name: environ[variable] for name, variable in _VARIABLES.items()}
    found["collector"] = environ.get("COLLECTOR_IMAGE", "docker.io/otel/opentelemetry-collector-contrib:0.158.0")
    namespace, service = _place(environ.get("PROMETHEUS_SERVICE", "monitoring/prometheus-operated:9090"))
    alertmanager = _place(environ.get("ALERTMANAGER_SERVICE", "monitoring/alertmanager-operated:9093"))
    return Ground(kube=kube, prometheus=Prometheus(kube, namespace, service), alertmanager=alertmanager, images=found, own=None)


def _place(text: str) -> tuple[str, str]:
    namespace, _, service = text.partition("/")
    if not service:
        raise Failed("cluster", f"{text!r} is not of the form namespace/service:port")
    return namespace, service
