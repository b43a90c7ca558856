"""Build an image from a project's Dockerfile with buildah: no daemon, no registry, nothing pulled from outside."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from binaries.failure import Failed

from cluster import dockerfile, images, indexes
from cluster.oci import architecture
from cluster.packages import IMAGE_COMMANDS, command, require
from cluster.settings import served
from cluster.store import folder, kept, key


def build(context: Path, name: str, *, file: str = "Dockerfile", arguments: Mapping[str, str] | None = None, target: str = "") -> Path:
    """Build `context`/`file` as image `name` (with its registry and tag) and serve it; the result is its OCI tar.

    Only files that the Dockerfile's COPY, ADD and bind mounts name go in, and only they, the Dockerfile, the base images
    and `arguments` (build arguments) decide whether an image made before is still good. Raises Failed with buildah's log.
    """
    require(IMAGE_COMMANDS, folder() / "apt.log")
    parsed = dockerfile.parsed((context / file).read_text(), arguments or {})
    bases = {base: base_tar(base) for base in parsed.bases}
    names = dockerfile.files(context, parsed.sources)
    content = {str(path): _content(context / path) for path in names}
    tars = sorted(tar.resolve().name for tar in bases.values())
    hashed = key(name, parsed.text, dict(arguments or {}), target, content, tars, code=("bud.py",))

    def make(tar: Path) -> None:
        with tempfile.TemporaryDirectory(dir=images.scratch()) as scratch:
            staged = Path(scratch) / "context"
            staged.mkdir()
            dockerfile.stage(context, names, staged)
            (Path(scratch) / "Dockerfile").write_text(parsed.text)
            _Buildah(name, Path(scratch)).run(bases, _options(Path(scratch), arguments or {}, target), tar)

    return kept(name, hashed, make)


def base_tar(image: str) -> Path:
    """The tar of a base image: the Python one, or one that was built and is served already."""
    full = dockerfile.full_name(image)
    if full == images.PYTHON:
        return images.python()
    if full == images.BUSYBOX:
        return images.busybox()
    tar = served() / f"{quote(full, safe='')}.tar"
    if not tar.exists():
        raise Failed("Dockerfile", f"starts from {image}, and only {images.PYTHON}, {images.BUSYBOX} and images built before are there")
    return tar


def _content(path: Path) -> list[str | int]:
    if path.is_symlink():
        return ["link", str(path.readlink())]
    return [path.stat().st_mode & 0o111, key(path.read_bytes().hex())]


def _options(scratch: Path, arguments: Mapping[str, str], target: str) -> list[str]:
    """Buildah 1.28 does not set TARGETARCH by itself."""
    platform = {"TARGETOS": "linux", "TARGETARCH": architecture(), **arguments}
    settings = scratch / "pip"
    settings.mkdir()
    chosen = [f"--target={target}"] if target else []
    return [*chosen, *indexes.volumes(settings), *(f"--build-arg={name}={value}" for name, value in platform.items())]


class _Buildah:
    """buildah with a storage of our own, so that nobody else's images are seen or changed."""

    def __init__(self, name: str, scratch: Path) -> None:
        self.name, self.scratch = name, scratch
        self.log = folder() / "log" / f"{quote(name, safe='')}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.unlink(missing_ok=True)

    def run(self, bases: Mapping[str, Path], options: list[str], tar: Path) -> None:
        """Load the bases, build, and write the image to `tar`."""
        try:
            for base, archive in bases.items():
                self._buildah("pull", f"oci-archive:{archive.resolve()}:{dockerfile.full_name(base)}")
            common = ["--isolation=chroot", "--network=host", "--pull-never", "--format=oci", "--timestamp=0"]
            self._buildah("bud", *common, *options, "-f", str(self.scratch / "Dockerfile"), "-t", self.name, str(self.scratch / "context"))
            tar.unlink(missing_ok=True)
            self._buildah("push", self.name, f"oci-archive:{tar}:{self.name}")
        finally:
            with contextlib.suppress(Failed):
                self._buildah("rmi", "--all", "--force")
            shutil.rmtree(self.scratch / "storage", ignore_errors=True)

    def _buildah(self, *arguments: str) -> None:
        place = ("--root", str(self.scratch / "storage"), "--runroot", str(self.scratch / "run"))
        with self.log.open("a") as log:
            done = subprocess.run([command("buildah"), *place, *arguments], stdout=log, stderr=log, check=False)
        if done.returncode:
            raise Failed(f"image {self.name}", f"buildah {arguments[0]} ended with status {done.returncode}", self.log)
