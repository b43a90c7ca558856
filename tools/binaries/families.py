"""What is built: one entry per Go module folder of tools/, with its binaries, version stamps and build tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parent.parent
OWN_MAIN = "."


@dataclass(frozen=True)
class Family:
    """One Go module folder, and how its binaries are made.

    `binaries` maps the name upstream gives a binary to its package. `stamps` are `-X` linker settings in which
    `{version}` is the module's version without its `v`, `{major}` and `{minor}` its parts. `placeholders` are files that the
    published module lacks and that its source embeds. `linux` names the binaries that compile on Linux only.
    """

    name: str
    binaries: Mapping[str, str]
    module: str = ""
    stamps: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    placeholders: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    linux: frozenset[str] = frozenset()

    @property
    def folder(self) -> Path:
        """Where the family's go.mod is."""
        return ROOT / self.name

    def version(self) -> str:
        """The version of `module` that go.mod requires, without `v`; empty for a family that has no such module."""
        if not self.module:
            return ""
        found = re.search(rf"^(?:require\s+|\t){re.escape(self.module)} v(\S+)", (self.folder / "go.mod").read_text(), re.MULTILINE)
        if not found:
            raise LookupError(f"{self.folder / 'go.mod'} does not require {self.module}")
        return released(found[1]) if self.name == "prometheus" else found[1]

    def ldflags(self) -> str:
        """What the linker is told: no symbols, and the version that the binary shall report."""
        version = self.version()
        major, minor = (*version.split("."), "", "")[:2]
        stamps = [stamp.format(version=version, major=major, minor=minor) for stamp in self.stamps]
        return " ".join(["-s", "-w", *(f"-X {stamp}" for stamp in stamps)])

    def buildable(self, system: str) -> dict[str, str]:
        """The binaries that compile on `system` (a GOOS)."""
        return {name: package for name, package in self.binaries.items() if system == "linux" or name not in self.linux}


def released(module_version: str) -> str:
    """Prometheus publishes release 3.15.0 as module v0.315.0, because its module path has no major version."""
    _, middle, patch = module_version.split(".")
    return f"{int(middle) // 100}.{int(middle) % 100}.{patch}"


_PROMETHEUS_STAMPS = (
    "github.com/prometheus/common/version.Version={version}",
    "github.com/prometheus/common/version.Branch=v{version}",
)
_KUBERNETES_STAMPS = tuple(
    f"k8s.io/{package}.{stamp}"
    for package in ("component-base/version", "client-go/pkg/version")
    for stamp in ("gitVersion=v{version}", "gitMajor={major}", "gitMinor={minor}")
)
# Every cloud's service discovery brings that cloud's SDK: with all of them Prometheus alone takes ten minutes. The collector's receiver
# of Prometheus has them, too.
_STATIC_ONLY = ("remove_all_sd", "enable_static_sd")
_CNI = "github.com/containernetworking/plugins/plugins"
_CONTAINERD = "github.com/containerd/containerd/v2"
_OPERATOR = "github.com/prometheus-operator/prometheus-operator/cmd"

FAMILIES: tuple[Family, ...] = (
    Family(
        name="kubernetes",
        module="k8s.io/kubernetes",
        binaries={
            name: f"k8s.io/kubernetes/cmd/{name}"
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kubectl",
                "kube-proxy",
            )
        },
        stamps=_KUBERNETES_STAMPS,
        linux=frozenset({"kubelet", "kube-proxy"}),
    ),
    Family(
        name="otelcol",
        module="go.opentelemetry.io/collector/otelcol",
        binaries={"otelcol": OWN_MAIN},
        tags=_STATIC_ONLY,
    ),
    Family(
        name="otelcol-oldest",
        module="go.opentelemetry.io/collector/otelcol",
        binaries={"otelcol-oldest": OWN_MAIN},
        tags=_STATIC_ONLY,
    ),
    Family(
        name="prometheus",
        module="github.com/prometheus/prometheus",
        binaries={name: f"github.com/prometheus/prometheus/cmd/{name}" for name in ("prometheus", "promtool")},
        stamps=_PROMETHEUS_STAMPS,
        tags=("remove_all_sd", "enable_kubernetes_sd", "enable_file_sd", "enable_static_sd"),
    ),
    Family(
        name="etcd",
        module="go.etcd.io/etcd/server/v3",
        binaries={"etcd": "go.etcd.io/etcd/server/v3"},
    ),
    Family(
        name="containerd",
        module=_CONTAINERD,
        binaries={name: f"{_CONTAINERD}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")},
        stamps=(f"{_CONTAINERD}/version.Version=v{{version}}",),
        linux=frozenset({"containerd", "containerd-shim-runc-v2", "ctr"}),
    ),
    Family(
        name="cni",
        module="github.com/containernetworking/plugins",
        binaries={
            "ptp": f"{_CNI}/main/ptp",
            "host-local": f"{_CNI}/ipam/host-local",
            "loopback": f"{_CNI}/main/loopback",
            "portmap": f"{_CNI}/meta/portmap",
        },
        stamps=("github.com/containernetworking/plugins/pkg/utils/buildversion.BuildVersion=v{version}",),
        linux=frozenset({"ptp", "host-local", "loopback", "portmap"}),
    ),
    Family(
        name="coredns",
        module="github.com/coredns/coredns",
        binaries={"coredns": OWN_MAIN},
    ),
    Family(
        name="prometheus-operator",
        module="github.com/prometheus-operator/prometheus-operator",
        binaries={
            "prometheus-operator": f"{_OPERATOR}/operator",
            "prometheus-config-reloader": f"{_OPERATOR}/prometheus-config-reloader",
        },
        stamps=_PROMETHEUS_STAMPS,
    ),
    Family(
        name="alertmanager",
        module="github.com/prometheus/alertmanager",
        binaries={"alertmanager": "github.com/prometheus/alertmanager/cmd/alertmanager"},
        stamps=_PROMETHEUS_STAMPS,
        placeholders={"ui/app/dist/index.html": "<!doctype html><title>Alertmanager</title>Built without its web interface.\n"},
    ),
    Family(
        name="helm",
        module="helm.sh/helm/v4",
        binaries={"helm": "helm.sh/helm/v4/cmd/helm"},
        stamps=("helm.sh/helm/v4/internal/version.version=v{version}",),
    ),
    Family(
        name="pause",
        binaries={"pause": OWN_MAIN},
        linux=frozenset({"pause"}),
    ),
)


def family(name: str) -> Family:
    """The family of that name. Raises LookupError that lists the names there are."""
    for candidate in FAMILIES:
        if candidate.name == name:
            return candidate
    raise LookupError(f"no family {name!r}; there are: {', '.join(entry.name for entry in FAMILIES)}")
