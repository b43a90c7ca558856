"""The node's host processes: how each is started, and how it is known to serve."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cluster import settings as at
from cluster.host import daemons_group
from cluster.packages import command
from cluster.settings import Settings

# A process must be in its control group before it runs: then `down` finds everything that it ever started.
_BORN_IN = 'echo $$ > "$0" && exec "$@"'


class Daemons:
    """Starts daemons and tells which of them ended."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, program: str | Path, *arguments: str) -> None:
        """Start a program in the cluster's group and a session of its own, its output in its log."""
        own = program if isinstance(program, Path) else self.settings.binaries / program
        group = str(daemons_group(self.settings) / "cgroup.procs")
        with self.settings.log(name).open("ab") as log:
            self._started[name] = subprocess.Popen(
                ["/bin/sh", "-c", _BORN_IN, group, str(own), *arguments],
                cwd=self.settings.state,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ended(self) -> str | None:
        """The name of a daemon that is no longer running."""
        return next((name for name, process in self._started.items() if process.poll() is not None), None)

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's: a proxy setting there would send the kubelet's calls to the API server to the proxy."""
        system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": f"{self.settings.binaries}:{system}", "HOME": str(self.settings.state), "LANG": "C.UTF-8"}


def registry(daemons: Daemons) -> None:
    """Our read-only registry over image tars."""
    script = Path(__file__).with_name("registry.py")
    daemons.start("registry", Path(sys.executable), str(script), str(at.REGISTRY_PORT), str(daemons.settings.images))


def etcd(daemons: Daemons) -> None:
    """Without fsync: the data goes away with the cluster anyway."""
    client, peer = f"http://127.0.0.1:{at.ETCD_PORT}", f"http://127.0.0.1:{at.ETCD_PEER_PORT}"
    data = ("--name=node", f"--data-dir={daemons.settings.state / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn")
    clients = (f"--listen-client-urls={client}", f"--advertise-client-urls={client}")
    peers = (f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=node={peer}")
    daemons.start("etcd", "etcd", *data, *clients, *peers)


def containerd(daemons: Daemons) -> None:
    """The container runtime; its configuration is in the state already."""
    daemons.start("containerd", "containerd", "-c", "containerd.toml")


def apiserver(daemons: Daemons) -> None:
    """The API server on the node's own address."""
    issuer = "https://kubernetes.default.svc.cluster.local"
    daemons.start(
        "apiserver",
        "kube-apiserver",
        f"--etcd-servers=http://127.0.0.1:{at.ETCD_PORT}",
        f"--bind-address={at.NODE_IP}",
        f"--advertise-address={at.NODE_IP}",
        f"--secure-port={at.API_PORT}",
        "--tls-cert-file=pki/apiserver.crt",
        "--tls-private-key-file=pki/apiserver.key",
        "--client-ca-file=pki/ca.crt",
        "--token-auth-file=tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        f"--service-cluster-ip-range={at.SERVICE_CIDR}",
        f"--service-account-issuer={issuer}",
        "--service-account-key-file=pki/sa.pub",
        "--service-account-signing-key-file=pki/sa.key",
        "--kubelet-client-certificate=pki/kubelet-client.crt",
        "--kubelet-client-key=pki/kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--allow-privileged=true",
        "--profiling=false",
    )


def controllers(daemons: Daemons) -> None:
    """Controller manager and scheduler. The default client rate would delay the first service account by 4 to 5 seconds."""
    plain = ("--leader-elect=false", "--secure-port=0", "--profiling=false")
    daemons.start(
        "kcm",
        "kube-controller-manager",
        "--kubeconfig=kcm.kubeconfig",
        "--service-account-private-key-file=pki/sa.key",
        "--root-ca-file=pki/ca.crt",
        "--use-service-account-credentials",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        f"--cluster-cidr={at.POD_CIDR}",
        "--allocate-node-cidrs=false",
        "--cluster-signing-cert-file=pki/ca.crt",
        "--cluster-signing-key-file=pki/ca.key",
        *plain,
    )
    daemons.start("sched", "kube-scheduler", "--kubeconfig=sched.kubeconfig", *plain)


def kubelet(daemons: Daemons) -> None:
    """The kubelet, then what gives its pods Services and names."""
    state = daemons.settings.state
    own = (f"--root-dir={state / 'kubelet'}", f"--cert-dir={state / 'kubelet' / 'pki'}", "-v=2")
    node = (f"--hostname-override={at.NODE}", f"--node-ip={at.NODE_IP}")
    daemons.start("kubelet", "kubelet", "--config=kubelet.yaml", "--kubeconfig=kubelet.kubeconfig", *node, *own)
    daemons.start("proxy", "kube-proxy", "--config=proxy.yaml")
    daemons.start("coredns", "coredns", "-conf", "Corefile")


def runc() -> Path:
    """The OCI runtime, the one program of the node that is Debian's."""
    return command("runc")
