"""What the tests run on: the Python interpreters of this machine, virtual environments of applications, the bundle.

Everything built is kept in the cache folder under a name with the hash of what it was built from, so that it is built
once, by whichever test process comes first.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from tests.runtime import debian

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "runtime" / "python"
ENVIRONMENTS = Path(__file__).parent / "environments"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmobs" / "runtime-tests"
SUPPORTED = ("3.10", "3.11", "3.12", "3.13", "3.14")
"""Pythons on which applications are observed."""
BUILT_ON = f"{sys.version_info[0]}.{sys.version_info[1]}"
FROM_DEBIAN = ("3.14",)
"""Versions that are fetched where the machine has none."""


def bundle() -> Path:
    """Return the folder that goes on PYTHONPATH, built as the image builds it."""
    sources = [*RUNTIME.glob("*.py"), *RUNTIME.glob("*.lock"), *(RUNTIME / "llmobs_runtime").glob("*.py")]
    builder = [sys.executable, str(RUNTIME / "build.py"), "--output"]
    return _kept("bundle", sources, sys.executable, lambda folder: _run([*builder, str(folder / "python")])) / "python"


def environment(name: str, base: str | None = None) -> Path:
    """Return the Python of a virtual environment with one of the locks beside this file; of this Python by default."""
    lock = ENVIRONMENTS / f"{name}.lock"
    python = base or base_interpreter()

    def fill(folder: Path) -> None:
        _run([python, "-m", "venv", str(folder)])
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        _run([str(folder / "bin" / "python"), *install, "--requirement", str(lock)])

    return _kept(f"venv-{name}", [lock], python, fill) / "bin" / "python"


def base_interpreter() -> str:
    """Return the Python that this one's virtual environment was made from."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}")


@cache
def interpreter(minor: str) -> str:
    """Return a Python of this version (``3.12``): of pyenv, the path or Debian's next release; raise UnavailableError without one."""
    if minor == BUILT_ON:
        return base_interpreter()
    for path in _candidates(minor):
        if _reports(path, minor):
            return path
    if minor not in FROM_DEBIAN:
        raise debian.UnavailableError(f"no Python {minor} on this machine")
    folder = _kept(f"python-{minor}", [Path(debian.__file__)], minor, lambda folder: debian.unpack(minor, folder))
    return str(folder / "usr" / "bin" / f"python{minor}")


def interpreter_or_skip(minor: str) -> str:
    """Return the same, or skip the test with the reason why this machine has none."""
    try:
        return interpreter(minor)
    except debian.UnavailableError as error:
        pytest.skip(str(error))


def _candidates(minor: str) -> Iterator[str]:
    on_path = shutil.which(f"python{minor}")
    if on_path:
        yield on_path
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False).stdout.strip()
        yield from map(str, Path(root).glob(f"versions/{minor}.*/bin/python{minor}"))


def _reports(path: str, minor: str) -> bool:
    """Whether this is a Python of that version that runs; a pyenv shim may be there and refuse."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    said = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False)
    return said.returncode == 0 and said.stdout.strip() == minor


def _kept(name: str, sources: list[Path], salt: str, build: Callable[[Path], None]) -> Path:
    """Return the folder built from these files, building it where it is not there yet."""
    digest = hashlib.sha256(salt.encode())
    for path in sorted(sources):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    folder = CACHE / f"{name}-{digest.hexdigest()[:16]}"
    complete = folder / "complete"
    with _locked(CACHE / f"{folder.name}.lock"):
        if not complete.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            build(folder)
            complete.touch()
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: list[str]) -> None:
    environ = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environ)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
