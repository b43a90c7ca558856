"""The file tree of a Python base image, laid out like docker.io/library/python:3.11-slim, from this machine's Python 3.11."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from binaries.wheel import unpack

from cluster.packages import command

VERSION = "3.11"
_ASK = """
import json, sys, sysconfig
print(json.dumps({"version": sys.version.split()[0], "base": sys.base_prefix, "stdlib": sysconfig.get_path("stdlib"),
 "triplet": sysconfig.get_config_var("MULTIARCH"), "debian": sysconfig.get_preferred_scheme("prefix") == "posix_local"}))
"""
_PROVE = "import bz2, ctypes, hashlib, json, lzma, pip, sqlite3, ssl, sys, zlib; print(sys.prefix)"
# Nothing that runs needs these; sitecustomize.py of Debian points to a file of the host.
_LEFT_OUT = ("test", "site-packages", "dist-packages", "idlelib", "tkinter", "turtledemo", "__pycache__", "config-*", "_tkinter*")
_DEBIANS = ("sitecustomize.py", "EXTERNALLY-MANAGED")
# What python:3.11-slim brings beside Python's own needs: wheels of C++ and Rust extensions expect them, name lookup loads them.
_RUNTIME = ("libstdc++.so.6", "libgcc_s.so.1", "libresolv.so.2", "libnss_dns.so.2", "libnss_files.so.2")
_LEGACY = ("libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libm.so.6")
# Where Debian's `python -m venv` finds the pip that it gives to an environment.
_WHEELS = Path("/usr/share/python-wheels")
_FOLDERS = ("bin", "etc/ssl/certs", "etc/xdg/pip", "home", "lib64", "proc", "sys", "dev", "root", "run", "usr/bin", "usr/lib/ssl")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
_PIP = "#!/usr/local/bin/python3\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"


@dataclass(frozen=True)
class Source:
    """The Python of this machine: `debian` when it is the distribution's own, which installs to other folders."""

    executable: Path
    version: str
    stdlib: Path
    triplet: str
    debian: bool


def source() -> Source:
    """Python 3.11 on this machine. Raises Failed when there is none."""
    for candidate in (f"python{VERSION}", f"/usr/bin/python{VERSION}", sys.executable):
        path = shutil.which(candidate)
        answer = subprocess.run([path, "-I", "-c", _ASK], capture_output=True, text=True, check=False) if path else None
        if answer and answer.returncode == 0 and answer.stdout.startswith(f'{{"version": "{VERSION}.'):
            said = json.loads(answer.stdout)
            real = Path(said["base"]) / "bin" / f"python{VERSION}"
            triplet = said["triplet"] or f"{platform.machine()}-linux-gnu"
            return Source(real.resolve(), said["version"], Path(said["stdlib"]), triplet, said["debian"])
    raise Failed("Python base image", f"needs Python {VERSION} on this machine (Debian 12: apt-get install python3.11)")


def make(root: Path, python: Source, pip: Path) -> None:
    """Fill `root` with Python, pip from the wheel `pip`, busybox and certificates; prove that it runs."""
    for name in _FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (root / name).mkdir(parents=True)
        (root / name).chmod(0o1777)
    for name, text in _FILES.items():
        (root / name).write_text(text)
    shutil.copy("/etc/os-release", root / "etc" / "os-release")
    _python(root, python)
    _libraries(root, python)
    _busybox(root)
    _pip(root, pip)
    _zones(root)
    _prove(root)
    _compile(root, python)


def make_busybox(root: Path) -> None:
    """Fill `root` with busybox and nothing else, laid out like docker.io/library/busybox."""
    for name in ("bin", "etc", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name, text in _FILES.items():
        (root / name).write_text(text)
    _busybox(root)


def _python(root: Path, python: Source) -> None:
    """To /usr/local, as upstream has it.

    Debian's build knows /usr only: there /usr/local becomes a virtual environment of it, which gives site-packages
    upstream's place without touching Debian's patches.
    """
    prefix = root / "usr" if python.debian else root / "usr" / "local"
    local = root / "usr" / "local" / "bin"
    local.mkdir(parents=True)
    (prefix / "bin").mkdir(exist_ok=True)
    shutil.copy(python.executable, prefix / "bin" / f"python{VERSION}")
    if python.debian:
        (local / f"python{VERSION}").symlink_to(f"../../bin/python{VERSION}")
        settings = f"home = /usr/bin\ninclude-system-site-packages = false\nversion = {python.version}\n"
        (root / "usr" / "local" / "pyvenv.cfg").write_text(settings)
    for name in ("python3", "python"):
        (local / name).symlink_to(f"python{VERSION}")
    skipped = shutil.ignore_patterns(*_LEFT_OUT, *(_DEBIANS if python.debian else ()))
    shutil.copytree(python.stdlib, prefix / "lib" / f"python{VERSION}", symlinks=True, ignore=skipped)
    if python.debian and _WHEELS.is_dir():
        shutil.copytree(_WHEELS, root / _WHEELS.relative_to("/"))


def _libraries(root: Path, python: Source) -> None:
    """Every shared library that Python and its modules name, and the loader at the place the executables name."""
    target = root / "lib" / python.triplet
    target.mkdir(parents=True)
    modules = sorted((python.stdlib / "lib-dynload").glob("*.so"))
    for name, path in needed([python.executable, *modules]).items():
        if name.startswith("/"):
            (root / name.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / name.lstrip("/"))
        elif "tk8" not in name and "tcl8" not in name:
            shutil.copy(path, target / name)
    for name in (*_RUNTIME, *_LEGACY):
        found = Path("/lib") / python.triplet / name
        if found.exists():
            shutil.copy(found, target / name)


def needed(programs: list[Path]) -> dict[str, Path]:
    """What `ldd` says: library name to path; the loader's name is its path."""
    text = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    libraries = {name: Path(path) for name, path in re.findall(r"^\s+(\S+) => (/\S+) \(", text, re.MULTILINE)}
    loaders = {path: Path(path) for path in re.findall(r"^\s+(/\S+) \(0x", text, re.MULTILINE)}
    return {**libraries, **loaders}


def _busybox(root: Path) -> None:
    """A shell and the usual commands, for `RUN` and for people who look into a container."""
    shutil.copy(command("busybox"), root / "bin" / "busybox")
    listed = subprocess.run([command("busybox"), "--list-full"], capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        link = root / name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to("/bin/busybox")


def _pip(root: Path, wheel: Path) -> None:
    packages = root / "usr" / "local" / "lib" / f"python{VERSION}" / "site-packages"
    unpack(wheel, packages)
    for name in ("pip", "pip3"):
        (root / "usr" / "local" / "bin" / name).write_text(_PIP)
        (root / "usr" / "local" / "bin" / name).chmod(0o755)
    shutil.copy(packages / "pip" / "_vendor" / "certifi" / "cacert.pem", root / "etc" / "ssl" / "certs" / "ca-certificates.crt")
    (root / "usr" / "lib" / "ssl" / "cert.pem").symlink_to("/etc/ssl/certs/ca-certificates.crt")


def _zones(root: Path) -> None:
    zones = Path("/usr/share/zoneinfo")
    if zones.is_dir():
        shutil.copytree(zones, root / "usr/share/zoneinfo", symlinks=True, ignore=shutil.ignore_patterns("right", "posix", "localtime"))


def _prove(root: Path) -> None:
    proof = subprocess.run(["chroot", root, "/usr/local/bin/python3", "-B", "-c", _PROVE], capture_output=True, text=True, check=False)
    if proof.stdout.strip() != "/usr/local":
        raise Failed("Python base image", f"its Python does not run: {proof.stderr.strip() or proof.stdout.strip()}")


def _compile(root: Path, python: Source) -> None:
    """Byte code that stays good whatever the times of files become in layers; a container cannot write it itself."""
    library = "/usr/lib" if python.debian else "/usr/local/lib"
    options = ("-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-x", "lib2to3|/tests?/")
    command_ = ["chroot", str(root), "/usr/local/bin/python3", "-m", "compileall", *options, f"{library}/python{VERSION}"]
    subprocess.run(command_, capture_output=True, check=False)  # some files of the library are wrong on purpose
