"""Write an image as an OCI-layout tar from a folder: what `ctr images import` and `buildah pull oci-archive:` read."""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PATH = "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_TYPE = "application/vnd.oci.image."
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Config:
    """How a container of the image starts."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    folder: str = "/"
    environment: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The `config` object of the image's configuration; what is empty is left out."""
        entries = {
            "Env": [_PATH, *self.environment],
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
            "User": self.user,
            "WorkingDir": self.folder,
            "Labels": dict(self.labels),
        }
        return {name: value for name, value in entries.items() if value}


def architecture() -> str:
    """The architecture of this machine as images name it."""
    return _ARCHITECTURES.get(platform.machine(), platform.machine())


def write(archive: Path, name: str, root: Path, config: Config) -> str:
    """Write `root` as the one layer of image `name`; the result is the manifest's digest.

    Reproducible: sorted entries, no times, owner root. The layer stays uncompressed, because it is read more often than
    it is sent anywhere.
    """
    blobs: dict[str, bytes] = {}
    layer = _add(blobs, _layer(root))
    settings = _add(blobs, _json(_configuration(config, layer["digest"])))
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_TYPE}manifest.v1+json",
        "config": {"mediaType": f"{_TYPE}config.v1+json", **settings},
        "layers": [{"mediaType": f"{_TYPE}layer.v1.tar", **layer}],
    }
    top = _add(blobs, _json(manifest))
    notes = {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name}
    entry = {"mediaType": manifest["mediaType"], **top, "platform": _platform(), "annotations": notes}
    index = {"schemaVersion": 2, "mediaType": f"{_TYPE}index.v1+json", "manifests": [entry]}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": _json(index)}
    _pack(archive, {**files, **{f"blobs/sha256/{digest}": blob for digest, blob in blobs.items()}})
    return str(top["digest"])


def _configuration(config: Config, layer: str) -> dict[str, Any]:
    return {
        **_platform(),
        "config": config.document(),
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created_by": "llm-observability-operator tools/cluster"}],
    }


def _platform() -> dict[str, str]:
    return {"architecture": architecture(), "os": "linux"}


def _add(blobs: dict[str, bytes], blob: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(blob).hexdigest()
    blobs[digest] = blob
    return {"digest": f"sha256:{digest}", "size": len(blob)}


def _json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True).encode()


def _layer(root: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in _entries(root):
            tar.add(path, arcname=str(path.relative_to(root)), recursive=False, filter=_anonymous)
    return buffer.getvalue()


def _entries(root: Path) -> Iterator[Path]:
    """Everything below root, a folder before what is in it; links to folders are entries, not ways."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        yield from (Path(folder) / name for name in sorted([*files, *folders]))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mtime = 0
    entry.mode |= 0o555 if entry.isdir() or entry.mode & 0o100 else 0o444  # whatever the umask was: containers run as anybody
    return entry


def _pack(archive: Path, files: Mapping[str, bytes]) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(f".{archive.name}.{os.getpid()}")
    with tarfile.open(partial, "w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    partial.replace(archive)
