"""Image tars kept by the hash of what went into them, and the folder of links that the registry serves."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from binaries.compile import locked
from binaries.places import cache
from binaries.progress import Progress

from cluster.settings import served

_VERSIONS = 3
SOURCES = Path(__file__).parent


def folder() -> Path:
    """Where tars, scratch folders and logs of images are."""
    return cache(os.environ).parent / "images"


def key(*parts: Any, files: Iterable[Path] = (), code: Iterable[str] = ()) -> str:
    """A hash of plain values, of files by place, size and time, and of our own modules by content."""
    stamps = [(str(path.resolve()), path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    sources = [(SOURCES / name).read_text() for name in code]
    return hashlib.sha256(json.dumps([parts, stamps, sources], sort_keys=True).encode()).hexdigest()[:24]


def kept(name: str, hashed: str, make: Callable[[Path], None]) -> Path:
    """The tar of image `name` with that key, made by `make` when it is missing, and served from now on."""
    tar = folder() / "store" / quote(name, safe="") / f"{hashed}.tar"
    with locked(folder() / "lock" / quote(name, safe=""), f"another run makes {name}; waiting for it"):
        if not tar.exists():
            partial = tar.with_name(f".{hashed}.partial")
            partial.parent.mkdir(parents=True, exist_ok=True)
            with Progress(f"image {name}"):
                make(partial)
            partial.replace(tar)
        tar.touch()
        serve(name, tar)
        _forget(tar.parent)
    return tar


def _forget(versions: Path) -> None:
    """Keep the versions of an image that were used last: each change of the product makes another hundred megabytes."""
    for old in sorted(versions.glob("*.tar"), key=lambda tar: tar.stat().st_mtime)[:-_VERSIONS]:
        old.unlink()


def serve(name: str, tar: Path) -> None:
    """Let the registry answer for `name` with that tar."""
    link = served() / f"{quote(name, safe='')}.tar"
    link.parent.mkdir(parents=True, exist_ok=True)
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(tar)
    fresh.replace(link)
