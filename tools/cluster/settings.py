"""Where the cluster keeps its state, and the addresses it uses. One cluster at a time fits on a machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from binaries.places import cache

NODE = "llmobs"
NODE_IP = "10.250.0.1"  # on `lo`: nothing depends on an interface of the machine
POD_CIDR = "10.244.0.0/24"
SERVICE_CIDR = "10.96.0.0/16"
API_PORT = 6443
REGISTRY_PORT = 23850
ETCD_PORT = 23790
ETCD_PEER_PORT = 23800
DNS_READY_PORT = 23881


@dataclass(frozen=True)
class Settings:
    """One cluster: `state` holds everything it writes, `binaries` what it runs, `images` the tars its registry serves."""

    state: Path
    binaries: Path
    images: Path

    @property
    def marker(self) -> Path:
        """Written before the first change to the machine: `down` acts only where it is."""
        return self.state / "up"

    @property
    def begun(self) -> Path:
        """The first file in the state: the places outside it that were absent. It tells our folder from anybody else's."""
        return self.state / "absent"

    @property
    def lock(self) -> Path:
        """Held by `up` and `down` while they run. Outside the state, which `down` removes."""
        return self.images.parent / "lock" / f"cluster-{self.state.name}"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self.state / "admin.kubeconfig"

    def log(self, name: str) -> Path:
        """The output of one daemon."""
        return self.state / "log" / f"{name}.log"

    @property
    def last_logs(self) -> Path:
        """Where `down` leaves the logs of the cluster it took down."""
        return self.images.parent / "last-cluster"

    @property
    def cgroup(self) -> str:
        """The group that every daemon and every container is born in. Named after the state, so that two never share one."""
        return self.state.name


def settings(environ: Mapping[str, str] = os.environ, *, binaries: Path = Path("/nonexistent")) -> Settings:
    """The settings that KN (the state's folder) and the cache give; `down` needs no binaries."""
    state = Path(environ.get("KN") or "/dev/shm/llmobs-kn").absolute()
    return Settings(state=state, binaries=binaries, images=served(environ))


def served(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of image tars that the registry serves."""
    return cache(environ).parent / "images" / "served"


def possible() -> None:
    """Raises Failed where no cluster can run: it needs Linux and root for network namespaces, mounts and cgroups."""
    if not sys.platform.startswith("linux"):
        raise Failed("cluster", "needs Linux; elsewhere use a cluster of your own (make demo CLUSTER=current)")
    if os.geteuid() != 0:
        raise Failed("cluster", "needs root (sudo), or a cluster of your own (make demo CLUSTER=current)")
