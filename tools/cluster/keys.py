"""The cluster's certificates, tokens and kubeconfig files; thrown away with its state."""

from __future__ import annotations

import base64
import secrets
import subprocess
from pathlib import Path

from binaries.failure import Failed

from cluster import settings as at
from cluster.packages import command
from cluster.render import rendered
from cluster.settings import Settings

_DAYS = "30"
_SERVICE_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
_ADDRESSES = (at.NODE_IP, "127.0.0.1", at.SERVICE_CIDR.replace(".0.0/16", ".0.1"))
# kubeconfig name: (user name, group)
_USERS = {
    "admin": ("admin", "system:masters"),
    "kcm": ("system:kube-controller-manager", ""),
    "sched": ("system:kube-scheduler", ""),
    "kubelet": (f"system:node:{at.NODE}", "system:nodes"),
    "proxy": ("system:kube-proxy", ""),
    "coredns": ("system:coredns", ""),
}


def make(settings: Settings) -> None:
    """Write pki/, tokens.csv and one kubeconfig per user into the state."""
    pki = settings.state / "pki"
    pki.mkdir()
    _key(pki / "ca.key")
    _openssl("req", "-x509", "-new", "-key", pki / "ca.key", "-subj", f"/CN={at.NODE}-ca", "-days", _DAYS, "-out", pki / "ca.crt")
    names = [f"IP:{address}" for address in _ADDRESSES] + [f"DNS:{name}" for name in ("localhost", *_SERVICE_NAMES)]
    _certificate(pki, "apiserver", subject="/CN=kube-apiserver", extension=f"subjectAltName={','.join(names)}")
    _certificate(pki, "kubelet-client", subject="/O=system:masters/CN=kube-apiserver", extension="extendedKeyUsage=clientAuth")
    _key(pki / "sa.key")
    _openssl("pkey", "-in", pki / "sa.key", "-pubout", "-out", pki / "sa.pub")
    _users(settings)


def _users(settings: Settings) -> None:
    authority = base64.b64encode((settings.state / "pki" / "ca.crt").read_bytes()).decode()
    rows = []
    for file, (user, group) in _USERS.items():
        token = secrets.token_hex(16)
        rows.append(f'{token},{user},{file},"{group}"\n')
        _private(settings.state / f"{file}.kubeconfig", rendered("kubeconfig.yaml", settings, CA=authority, USER=file, TOKEN=token))
    _private(settings.state / "tokens.csv", "".join(rows))


def _certificate(pki: Path, name: str, *, subject: str, extension: str) -> None:
    _key(pki / f"{name}.key")
    (pki / f"{name}.ext").write_text(extension)
    _openssl("req", "-new", "-key", pki / f"{name}.key", "-subj", subject, "-out", pki / f"{name}.csr")
    signer = ("-CA", pki / "ca.crt", "-CAkey", pki / "ca.key", "-CAcreateserial", "-days", _DAYS, "-extfile", pki / f"{name}.ext")
    _openssl("x509", "-req", "-in", pki / f"{name}.csr", *signer, "-out", pki / f"{name}.crt")


def _key(path: Path) -> None:
    """An elliptic-curve key in PKCS 8, which the API server takes for service accounts too."""
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-out", path)
    path.chmod(0o600)


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text)


def _openssl(*arguments: str | Path) -> None:
    done = subprocess.run([command("openssl"), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed("certificates", f"openssl {arguments[0]}: {done.stderr.strip()}")
