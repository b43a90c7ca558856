"""Where binaries live: the cache, the key of each family, the flat folder of links, and what the environment provides."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from binaries.families import FAMILIES, Family
from binaries.golang import Toolchain, identify

_ASSETS = ("kubernetes", "etcd")
_SINGLE = {"OTELCOL": "otelcol", "PROMTOOL": "promtool", "PROMETHEUS": "prometheus"}


def cache(environ: Mapping[str, str]) -> Path:
    """The folder that everything built goes to."""
    base = environ.get("XDG_CACHE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".cache")
    return Path(base) / "llmobs" / "tools"


def system() -> str:
    """The operating system as Go names it."""
    return platform.system().lower()


def provided(environ: Mapping[str, str]) -> dict[str, Path]:
    """The binaries that KUBEBUILDER_ASSETS, OTELCOL, PROMTOOL and PROMETHEUS name.

    Raises Failed for a variable that names nothing that can be run.
    """
    found: dict[str, Path] = {}
    if environ.get("KUBEBUILDER_ASSETS"):
        found.update(_assets(Path(environ["KUBEBUILDER_ASSETS"])))
    for variable, binary in _SINGLE.items():
        if environ.get(variable):
            found[binary] = _executable(variable, environ[variable], environ)
    return found


def _assets(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise Failed("KUBEBUILDER_ASSETS", f"{folder} is no folder; unset it or point it to one with kube-apiserver and etcd")
    names = [binary for entry in FAMILIES if entry.name in _ASSETS for binary in entry.binaries]
    return {name: (folder / name).resolve() for name in names if os.access(folder / name, os.X_OK)}


def _executable(variable: str, value: str, environ: Mapping[str, str]) -> Path:
    path = shutil.which(value, path=environ.get("PATH"))
    if not path:
        raise Failed(variable, f"{value} is no program that can be run; unset it or give the path of one")
    return Path(path).resolve()


def key(entry: Family, go: str) -> str:
    """A hash of everything that decides what the family's binaries are, `go` being the toolchain's version."""
    digest = hashlib.sha256()
    for file in sorted([entry.folder / "go.mod", *entry.folder.glob("go.sum"), *entry.folder.glob("*.go")]):
        digest.update(f"{file.name} {file.stat().st_size}\n".encode() + file.read_bytes())
    recipe = [go, system(), platform.machine(), entry.ldflags(), entry.tags]
    digest.update(json.dumps([*recipe, dict(entry.binaries), dict(entry.placeholders)]).encode())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Layout:
    """The cache as this checkout, this Go and this environment see it."""

    root: Path
    toolchain: Toolchain
    keys: Mapping[str, str]
    provided: Mapping[str, Path]

    def built(self, entry: Family) -> Path:
        """The folder with a family's finished binaries; it exists only when they all are in it."""
        return self.root / "built" / f"{entry.name}-{self.keys[entry.name]}"

    @property
    def bin(self) -> Path:
        """The flat folder. Another set of binaries is another folder, so nobody's links change under a running test."""
        everything = json.dumps([dict(self.keys), {name: str(path) for name, path in self.provided.items()}], sort_keys=True)
        return self.root / hashlib.sha256(everything.encode()).hexdigest()[:16] / "bin"

    def log(self, entry: Family) -> Path:
        """What Go said in the family's last build."""
        return self.root / "log" / f"{entry.name}.log"

    def lacks(self, entry: Family) -> bool:
        """Whether something of the family must be built: not all is provided, and it is not in the cache."""
        return not set(entry.buildable(system())) <= set(self.provided) and not self.built(entry).is_dir()

    def binary(self, name: str) -> Path:
        """The path of a binary in the flat folder. Raises Failed when it is unknown or not there yet."""
        if not any(name in entry.binaries for entry in FAMILIES):
            raise Failed(name, "is none of the test binaries")
        if not (self.bin / name).exists():
            raise Failed(name, "is not built yet: make tools, or python3 tools/build.py")
        return self.bin / name


def layout(environ: Mapping[str, str] = os.environ) -> Layout:
    """The layout for an environment; nothing is made or fetched."""
    root = cache(environ)
    toolchain = identify(root, environ)
    keys = {entry.name: key(entry, toolchain.version) for entry in FAMILIES}
    return Layout(root=root, toolchain=toolchain, keys=keys, provided=provided(environ))


def link(where: Layout) -> None:
    """Bring the flat folder up to date with what is provided and built. Safe beside other runs: each link is renamed into place."""
    where.bin.mkdir(parents=True, exist_ok=True)
    for entry in FAMILIES:
        for name in entry.buildable(system()):
            target = where.provided.get(name, where.built(entry) / name)
            if target.exists():
                _place(where.bin / name, target)


def _place(spot: Path, target: Path) -> None:
    if spot.is_symlink() and spot.readlink() == target:
        return
    fresh = spot.with_name(f".{spot.name}.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(spot)
