"""Builds the folder that runs in users' pods: our modules at its top, the locked third-party packages under bundle/.

    python3 runtime/python/build.py --output DIR [--python PYTHON]...

Pure Python only, so one folder serves every Python from 3.10 on, on any processor and C library. Byte code is compiled
for the running interpreter and for each --python; others compile it anew in every process, for want of a place to write.
Equal inputs give equal files, byte for byte.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
OWN = ("sitecustomize.py", "usercustomize.py", "llmobs_runtime")
OLDEST_PYTHON = "3.10"
# Present in no program that runs: command line scripts, type stubs, and pip's notes about this one installation.
UNUSED = (
    "bin",
    "*-stubs",
    "**/*.c",
    "**/*.pyi",
    "**/py.typed",
    "**/__pycache__",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
)
NATIVE = ("**/*.so", "**/*.pyd", "**/*.dylib")
EPOCH = 315532800  # 1980-01-01, the earliest time every archive format can hold


def main() -> None:
    """Build into a folder beside the output, then put it in its place."""
    arguments = _arguments()
    output: Path = arguments.output.resolve()
    if output.exists() and any(output.iterdir()) and not (output / "llmobs_runtime").is_dir():
        sys.exit(f"{output} is not empty and not a bundle: give an empty or a new folder")
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=".bundle-") as scratch:
        folder = Path(scratch) / "python"
        build(folder, [sys.executable, *arguments.python])
        if output.exists():
            shutil.rmtree(output)
        folder.rename(output)
    print(f"{output}: {_size(output) / 1e6:.1f} MB in {sum(1 for _ in output.rglob('*'))} files")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="the folder to write; an older bundle there is replaced")
    parser.add_argument("--python", action="append", default=[], help="compile byte code for this interpreter too")
    return parser.parse_args()


def build(folder: Path, interpreters: list[str]) -> None:
    """Fill the folder: install, prune, add our own modules, compile, and make it readable by everybody."""
    folder.mkdir()
    _install(folder / "bundle")
    _prune(folder / "bundle")
    for name in OWN:
        source = HERE / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    for interpreter in interpreters:
        _compile(folder, interpreter)
    _normalise(folder)


def _install(target: Path) -> None:
    # A platform named "any" leaves only wheels without native code, whatever machine this runs on.
    pure = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none", f"--python-version={OLDEST_PYTHON}"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-compile", "--root-user-action=ignore"]
    locked = ["--require-hashes", "--no-deps", "--requirement", str(HERE / "requirements.lock")]
    subprocess.run([sys.executable, "-m", "pip", "install", *quiet, *pure, *locked, "--target", str(target)], check=True)


def _prune(folder: Path) -> None:
    native = [path for pattern in NATIVE for path in folder.glob(pattern)]
    if native:
        sys.exit(f"not pure Python: {native[0].relative_to(folder)}")
    for path in [path for pattern in UNUSED for path in folder.glob(pattern)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _compile(folder: Path, interpreter: str) -> None:
    # Unchecked: the files never change, and a check against their times would fail after a copy.
    options = ["-q", "-s", str(folder), "--invalidation-mode", "unchecked-hash"]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "SOURCE_DATE_EPOCH": str(EPOCH)}
    environment.pop("PYTHONPATH", None)
    subprocess.run([interpreter, "-m", "compileall", *options, str(folder)], check=True, env=environment)


def _normalise(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (EPOCH, EPOCH))
    folder.chmod(0o755)
    os.utime(folder, (EPOCH, EPOCH))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


if __name__ == "__main__":
    main()
