"""What a cluster changes on the machine, each change beside the way it is undone: address, sysctl, nftables, cgroups, folders."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

from binaries.failure import Failed

from cluster import settings as at
from cluster.packages import command
from cluster.render import guard, rendered
from cluster.settings import Settings

# Places that containerd, libcni and kubelet write to whatever their configuration says. What was not there goes away again.
_OUTSIDE = (
    "/run/containerd",
    "/run/runc",
    "/var/lib/cni",
    "/etc/cni",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/usr/libexec/kubernetes",
    "/opt/containerd",
)
# kubelet writes the kernel's; the others make forwarding work and keep thirty watching pods from running out of watches.
_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "fs/inotify/max_user_instances": "8192",
    "fs/inotify/max_user_watches": "524288",
    "vm/overcommit_memory": "",
    "kernel/panic": "",
    "kernel/panic_on_oops": "",
}
_TABLES = ("ip kube-proxy", "ip6 kube-proxy", "ip cni_hostport", "ip6 cni_hostport", "inet cni_hostport")
_LOOPBACK_PORTS = (at.REGISTRY_PORT, at.ETCD_PORT, at.ETCD_PEER_PORT, at.DNS_READY_PORT, 10248, 10249, 10256)
_CGROUPS = Path("/sys/fs/cgroup")


def check_free() -> None:
    """Raises Failed when something here already uses the cluster's address or one of its ports."""
    if at.NODE_IP in _run("ip", "-o", "addr", "show"):
        raise Failed("cluster", f"{at.NODE_IP} is in use: another cluster is up, or the state of a dead one was lost")
    for port in _LOOPBACK_PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise Failed("cluster", f"port {port} on 127.0.0.1 is taken by another program: {error.strerror}") from error


def remember(settings: Settings) -> None:
    """Write down what the machine is like before anything changes."""
    settings.begun.write_text("".join(f"{place}\n" for place in _OUTSIDE if not Path(place).exists()))
    saved = settings.state / "sysctl"
    saved.mkdir(exist_ok=True)
    for name in _SYSCTLS:
        (saved / name.replace("/", ".")).write_text((Path("/proc/sys") / name).read_text())


def enter(settings: Settings) -> None:
    """Make the node's network and its control groups."""
    _run("ip", "addr", "replace", f"{at.NODE_IP}/32", "dev", "lo")
    for name, value in _SYSCTLS.items():
        if value:
            (Path("/proc/sys") / name).write_text(value)
    _run("nft", "-f", "-", text=rendered("guard.nft", settings))
    _make_cgroups(settings)


def leave(settings: Settings) -> None:
    """Undo `enter`, unmount and remove what the daemons left. Each step works whatever the others did."""
    _unmount(settings)
    _remove_cgroups(settings)
    for table in (*_TABLES, f"inet {guard(settings)}"):
        _run("nft", "delete", "table", *table.split(), check=False)
    _run("ip", "addr", "del", f"{at.NODE_IP}/32", "dev", "lo", check=False)
    for saved in (settings.state / "sysctl").glob("*"):
        (Path("/proc/sys") / saved.name.replace(".", "/")).write_text(saved.read_text())
    _forget_pod_logs(settings)
    for place in settings.begun.read_text().split():
        shutil.rmtree(place, ignore_errors=True)


def daemons_group(settings: Settings) -> Path:
    """The group that daemons are born in. Whatever they start, down to the containers, is in it or beside it."""
    return _tag(settings) / "daemons"


def processes(settings: Settings) -> list[int]:
    """Every process of the cluster, and no other."""
    found: set[int] = set()
    for file in _tag(settings).rglob("cgroup.procs"):
        with contextlib.suppress(OSError):
            found.update(int(pid) for pid in file.read_text().split())
    return sorted(found - {0})


def _version_one() -> bool:
    return (_CGROUPS / "pids").is_dir()


def _tag(settings: Settings) -> Path:
    return (_CGROUPS / "pids" if _version_one() else _CGROUPS) / settings.cgroup


def _hierarchies() -> list[Path]:
    if not _version_one():
        return [_CGROUPS]
    fields = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(field[1]) for field in fields if field[2] in ("cgroup", "cgroup2")]


def _make_cgroups(settings: Settings) -> None:
    for hierarchy in _hierarchies():
        (hierarchy / settings.cgroup).mkdir(exist_ok=True)
    daemons_group(settings).mkdir(exist_ok=True)
    cpuset = _CGROUPS / "cpuset"
    if _version_one() and cpuset.is_dir():  # a new cpuset group starts empty, and until it has both nothing can join it
        for name in ("cpuset.cpus", "cpuset.mems"):
            (cpuset / settings.cgroup / name).write_text((cpuset / name).read_text())


def _remove_cgroups(settings: Settings) -> None:
    """Groups go away from the leaves up, and a moment after their last process does."""
    deadline = time.monotonic() + 5
    groups = [hierarchy / settings.cgroup for hierarchy in _hierarchies()]
    while any(group.is_dir() for group in groups) and time.monotonic() < deadline:
        for group in groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        time.sleep(0.02)


def _unmount(settings: Settings) -> None:
    for _ in range(3):  # shared mounts show up again below another one
        lines = Path("/proc/self/mounts").read_text().splitlines()
        places = [line.split()[1].encode().decode("unicode_escape") for line in lines]
        for place in sorted((place for place in places if place.startswith(f"{settings.state}/")), reverse=True):
            if subprocess.run(["umount", place], capture_output=True, check=False).returncode:
                subprocess.run(["umount", "-l", place], capture_output=True, check=False)


def _forget_pod_logs(settings: Settings) -> None:
    for entry in Path("/var/log/containers").glob("*"):
        if entry.is_symlink() and str(entry.readlink()).startswith(f"{settings.state}/"):
            entry.unlink()


def _run(name: str, *arguments: str, text: str | None = None, check: bool = True) -> str:
    done = subprocess.run([command(name), *arguments], input=text, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise Failed(f"{name} {' '.join(arguments[:3])}", done.stderr.strip() or f"ended with status {done.returncode}")
    return done.stdout
