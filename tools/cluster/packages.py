"""The Debian packages the cluster and the image builds need, installed when missing and named first."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from binaries.failure import Failed
from binaries.progress import Progress

NODE_COMMANDS: Mapping[str, str] = MappingProxyType({"runc": "runc", "nft": "nftables", "ip": "iproute2", "openssl": "openssl"})
IMAGE_COMMANDS: Mapping[str, str] = MappingProxyType({"buildah": "buildah", "busybox": "busybox-static"})
_ADMIN_PATH = "/usr/local/sbin:/usr/sbin:/sbin"


def command(name: str) -> Path:
    """The path of a system command; /usr/sbin counts even where it is not on the PATH. Raises Failed when it is missing."""
    found = _found(name)
    if not found:
        raise Failed(name, f"is not installed (Debian: apt-get install {({**NODE_COMMANDS, **IMAGE_COMMANDS}).get(name, name)})")
    return Path(found)


def require(commands: Mapping[str, str], log: Path) -> None:
    """Install the Debian packages of the commands that are missing, after saying which."""
    missing = [package for name, package in commands.items() if not _found(name)]
    if not missing:
        return
    print(f"These Debian packages are missing and will be installed: {' '.join(missing)}", file=sys.stderr, flush=True)
    if not shutil.which("apt-get"):
        raise Failed("packages", f"no apt-get here: install {', '.join(missing)} with this system's package manager")
    log.parent.mkdir(parents=True, exist_ok=True)
    with Progress(f"apt-get install {' '.join(missing)}"):
        _install(missing, log)


def _found(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_ADMIN_PATH}")


def _install(missing: list[str], log: Path) -> None:
    """Try with the package lists as they are: fetching them first costs more than most installs."""
    install = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if _apt(install, log) == 0:
        return
    if _apt(["apt-get", "update"], log) or _apt(install, log):
        raise Failed("packages", f"apt-get could not install {', '.join(missing)}", log)


def _apt(arguments: list[str], log: Path) -> int:
    with log.open("a") as output:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        return subprocess.run(arguments, stdout=output, stderr=output, env=environment, check=False).returncode
