"""Bring the cluster up: nothing on this machine to a node that takes pods, in about five seconds."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from binaries.failure import Failed
from binaries.progress import Progress

from cluster import api, daemons, host, keys
from cluster import settings as at
from cluster.packages import NODE_COMMANDS, require
from cluster.render import rendered
from cluster.settings import Settings, possible

PAUSE = "registry.k8s.io/pause:3.10.1"
_CNI = ("ptp", "host-local", "loopback", "portmap")
_PROGRAMS = (
    *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl", "kube-proxy"),
    *("etcd", "containerd", "containerd-shim-runc-v2", "coredns", *_CNI),
)
_FOLDERS = ("log", "cni/bin", "cni/conf", "certs.d/_default", "kubelet", "podlogs")
_PATIENCE = 90.0  # seconds for one part to serve: twenty times what it takes on an idle machine
_ENOUGH = 2 << 30  # bytes for images, containers and etcd
_STAGES = 7


def up(settings: Settings) -> None:
    """Start everything and return when pods can run. Raises Failed with the part and its log; then `down` cleans up."""
    possible()
    require(NODE_COMMANDS, settings.images.parent / "apt.log")
    with exclusively(settings):
        check(settings)
        _prepare(settings)
        with Progress("cluster", total=_STAGES) as progress:
            _Start(settings, progress).run()


@contextmanager
def exclusively(settings: Settings) -> Iterator[None]:
    """Keep another `up` or `down` of this state away. The lock ends with the process, however that ends."""
    settings.lock.parent.mkdir(parents=True, exist_ok=True)
    with settings.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failed("cluster", f"another up or down works on {settings.state} right now") from None
        yield


def check(settings: Settings) -> None:
    """Raises Failed where the cluster cannot be started: it is up, binaries are missing, something is in the way."""
    if settings.marker.exists():
        raise Failed("cluster", f"already up, or not cleaned up, in {settings.state}: run tools/cluster/down first")
    missing = [name for name in _PROGRAMS if not (settings.binaries / name).exists()]
    if missing:
        raise Failed("cluster", f"{', '.join(missing)} not in {settings.binaries}: run make tools first")
    if settings.state.exists() and any(settings.state.iterdir()) and not settings.begun.exists():
        raise Failed("cluster", f"{settings.state} is not empty and not ours: set KN to another folder")
    host.check_free()
    settings.state.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.state).free < _ENOUGH:
        raise Failed("cluster", f"less than 2 GiB free in {settings.state}: set KN to a folder on a disk")


def _prepare(settings: Settings) -> None:
    """The marker comes after what is only written, and before what changes the machine."""
    host.remember(settings)
    for folder in _FOLDERS:
        (settings.state / folder).mkdir(parents=True, exist_ok=True)
    settings.marker.touch()


class _Start:
    """The stages, in their order."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings, self.progress = settings, progress
        self.daemons = daemons.Daemons(settings)

    def run(self) -> None:
        host.enter(self.settings)
        keys.make(self.settings)
        self._configure()
        self._stage("network and keys")
        for begin in (daemons.registry, daemons.etcd, daemons.containerd, daemons.apiserver):
            begin(self.daemons)
        self._until("registry", lambda: api.plain(f"http://127.0.0.1:{at.REGISTRY_PORT}/v2/") is not None)
        self._until("apiserver", lambda: api.get(self.settings, "/readyz") == "ok")
        daemons.controllers(self.daemons)
        daemons.kubelet(self.daemons)
        self._bootstrap()
        self._until("kubelet", lambda: api.condition(api.get(self.settings, f"/api/v1/nodes/{at.NODE}"), "Ready"))
        self._until("kcm", lambda: api.get(self.settings, "/api/v1/namespaces/default/serviceaccounts/default") is not None)
        self._until("coredns", lambda: api.plain(f"http://127.0.0.1:{at.DNS_READY_PORT}/ready") == "OK")
        self._until("proxy", lambda: api.plain("http://127.0.0.1:10256/healthz") is not None)

    def _configure(self) -> None:
        state = self.settings.state
        for name in _CNI:
            (state / "cni" / "bin" / name).symlink_to(self.settings.binaries / name)
        (state / "cni" / "conf" / "10-node.conflist").write_text(rendered("cni.json", self.settings))
        # Every registry name is answered by ours: nothing outside is asked, and digests and imagePullPolicy Always work.
        (state / "certs.d" / "_default" / "hosts.toml").write_text(f'server = "http://127.0.0.1:{at.REGISTRY_PORT}"\n')
        (state / "containerd.toml").write_text(rendered("containerd.toml", self.settings, PAUSE=PAUSE, RUNC=str(daemons.runc())))
        for name in ("kubelet.yaml", "proxy.yaml", "Corefile"):
            (state / name).write_text(rendered(name, self.settings))

    def _bootstrap(self) -> None:
        arguments = [str(self.settings.binaries / "kubectl"), f"--kubeconfig={self.settings.kubeconfig}", "apply", "-f", "-"]
        text = rendered("bootstrap.yaml", self.settings)
        done = subprocess.run(
            arguments, input=text, capture_output=True, text=True, check=False, env={"NO_PROXY": "*", "HOME": "/nonexistent"}
        )
        if done.returncode:
            raise Failed("rights of CoreDNS", done.stderr.strip(), self.settings.log("apiserver"))

    def _until(self, part: str, serves: Callable[[], bool]) -> None:
        """Poll until the part serves, no daemon has ended, and patience is left."""
        self.progress.note = f"waiting for {part}"
        deadline = time.monotonic() + _PATIENCE
        while not serves():
            ended = self.daemons.ended()
            if ended:
                raise Failed(f"cluster: {ended}", "ended by itself", self.settings.log(ended))
            if time.monotonic() > deadline:
                raise Failed(f"cluster: {part}", f"does not serve after {_PATIENCE:.0f} s", self.settings.log(part))
            time.sleep(0.05)
        self._stage(part)

    def _stage(self, name: str) -> None:
        self.progress.step()
        self.progress.say(f"{self.progress.seconds:5.1f} s  {name}")
