"""A read-only image registry on loopback over a folder of OCI image tars: `registry.py PORT FOLDER`.

containerd asks its mirror for `/v2/<repository>/manifests/<tag>?ns=<registry>`, so the full name, host and all, is known
and one folder can hold images of every registry. Tars may be added, replaced and removed while it runs.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any
from urllib.parse import parse_qs, urlsplit

_BLOB = "blobs/sha256/"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Blob:
    """Where in a tar a blob is. `kind` is its media type."""

    file: Path
    offset: int
    size: int
    kind: str = "application/octet-stream"


@dataclass(frozen=True)
class Image:
    """One tar: its blobs by digest, its manifest digests by full image name."""

    blobs: dict[str, Blob]
    names: dict[str, str]


def image(file: Path) -> Image:
    """Read a tar's index. Raises OSError, tarfile.TarError, KeyError or ValueError for a file that is no image."""
    with tarfile.open(file) as tar:
        members = {member.name.removeprefix("./"): member for member in tar.getmembers() if member.isfile()}
        index = json.loads(_read(tar.extractfile(members["index.json"])))
    found = [(name.removeprefix(_BLOB), member) for name, member in members.items() if name.startswith(_BLOB)]
    blobs = {f"sha256:{digest}": Blob(file, member.offset_data, member.size) for digest, member in found}
    names = {}
    for entry in index["manifests"]:
        place = blobs[entry["digest"]]
        blobs[entry["digest"]] = Blob(place.file, place.offset, place.size, entry["mediaType"])
        notes = entry.get("annotations", {})
        names[notes.get("io.containerd.image.name") or notes["org.opencontainers.image.ref.name"]] = entry["digest"]
    return Image(blobs, names)


def _read(stream: IO[bytes] | None) -> bytes:
    if stream is None:
        raise ValueError("index.json is no regular file")
    return stream.read()


class Shelf:
    """The images of a folder, read again when a file in it changes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[tuple[Path, int], Image] = {}

    def images(self) -> list[Image]:
        """All images there are now; a file that is no image is left out and named on the log."""
        current: dict[tuple[Path, int], Image] = {}
        for path in sorted(self.folder.glob("*.tar")):
            try:
                file = path.resolve(strict=True)
                stamp = (file, file.stat().st_mtime_ns)
                current[stamp] = self._known.get(stamp) or image(file)
            except (OSError, tarfile.TarError, KeyError, ValueError) as error:
                print(f"{path}: no image: {error!r}", flush=True)
        self._known = current
        return list(current.values())

    def find(self, registry: str, repository: str, reference: str) -> tuple[str, Blob] | None:
        """The digest and place of a tag, or of a digest. Without a registry (not a mirror request) every one matches."""
        images = self.images()
        digest = reference if reference.startswith("sha256:") else _named(images, registry, f"{repository}:{reference}")
        return next(((digest, entry.blobs[digest]) for entry in images if digest in entry.blobs), None)


def _named(images: list[Image], registry: str, name: str) -> str:
    for entry in images:
        for full, digest in entry.names.items():
            if full == f"{registry}/{name}" or (not registry and full.endswith(f"/{name}")):
                return digest
    return ""


class Handler(BaseHTTPRequestHandler):
    """GET and HEAD of the distribution API, nothing else."""

    protocol_version = "HTTP/1.1"
    shelf: Shelf

    def do_GET(self) -> None:
        """Answer one request."""
        url = urlsplit(self.path)
        if url.path == "/v2/":
            return self._small(200, {})
        asked = re.fullmatch(r"/v2/(.+)/(?:manifests|blobs)/([^/]+)", url.path)
        registry = parse_qs(url.query).get("ns", [""])[0]
        found = self.shelf.find(registry, asked[1], asked[2]) if asked else None
        if not found:
            return self._small(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "no such image in the folder"}]})
        return self._blob(*found)

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _small(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self._head(status, "application/json", len(body))
        if self.command == "GET":
            self.wfile.write(body)

    def _blob(self, digest: str, blob: Blob) -> None:
        self._head(200, blob.kind, blob.size, digest)
        if self.command != "GET":
            return
        with blob.file.open("rb") as file:
            file.seek(blob.offset)
            left = blob.size
            while left:
                piece = file.read(min(_CHUNK, left))
                self.wfile.write(piece)
                left -= len(piece)

    def _head(self, status: int, kind: str, size: int, digest: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        if digest:
            self.send_header("Docker-Content-Digest", digest)
        self.end_headers()

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
        """One line a request, on standard output."""
        print(format % arguments, flush=True)


def server(port: int, folder: Path) -> ThreadingHTTPServer:
    """A server on loopback, not yet serving; port 0 takes any."""
    handler = type("ShelfHandler", (Handler,), {"shelf": Shelf(folder)})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


if __name__ == "__main__":
    server(int(sys.argv[1]), Path(sys.argv[2])).serve_forever()
