"""What a Dockerfile reads: the images it starts from and the files it copies, so that a build sees these and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed

_IGNORED = ("__pycache__", ".git", ".venv")


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile: `text` without digests on its base images, which an image built here cannot have."""

    text: str
    bases: tuple[str, ...]
    sources: tuple[str, ...]


def parsed(text: str, arguments: Mapping[str, str]) -> Dockerfile:
    """Read the instructions that name images and files. `arguments` are build arguments, which `FROM` may use."""
    lines = _instructions(text)
    known = {**_defaults(lines), **arguments}
    bases, stages, sources = [], set(), []
    for keyword, rest in lines:
        if keyword == "FROM":
            image, stage = _from(rest, known)
            if image not in stages and image != "scratch":
                bases.append(image)
            stages.add(stage)
        elif keyword in ("COPY", "ADD"):
            sources += _copied(rest)
        elif keyword == "RUN":
            sources += _bound(rest)
    undigested = re.sub(r"(?mi)^(FROM\s.*?)@sha256:[0-9a-f]{64}", r"\1", text)
    return Dockerfile(undigested, tuple(dict.fromkeys(bases)), tuple(dict.fromkeys(sources)))


def full_name(image: str) -> str:
    """`python:3.11-slim` with the registry and folder that it means."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"


def files(context: Path, sources: tuple[str, ...]) -> list[Path]:
    """The files below `context` that the sources name, as relative paths; what git ignores is left out where git is there.

    Raises Failed for a source that names nothing.
    """
    ignored = _ignored(context)
    found: set[Path] = set()
    for source in sources:
        matches = list(context.glob(source.strip("/"))) if source.strip("./") else [context]
        if not matches:
            raise Failed("Dockerfile", f"copies {source}, which is not in {context}")
        for match in matches:
            found.update(path.relative_to(context) for path in _below(match) if path.relative_to(context) not in ignored)
    return sorted(found)


def stage(context: Path, names: list[Path], target: Path) -> None:
    """Copy the files into an empty context: what is not among them cannot get into the image."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(context / name, target / name, follow_symlinks=False)


def _instructions(text: str) -> list[tuple[str, str]]:
    """Keyword and rest of each instruction, with continued lines joined and comments gone."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n", " ", kept)
    words = (line.strip().split(None, 1) for line in joined.splitlines() if line.strip())
    return [(word[0].upper(), word[1] if len(word) > 1 else "") for word in words]


def _defaults(lines: list[tuple[str, str]]) -> dict[str, str]:
    """The `ARG`s before the first `FROM`."""
    found: dict[str, str] = {}
    for keyword, rest in lines:
        if keyword == "FROM":
            break
        if keyword == "ARG":
            name, _, value = rest.partition("=")
            found[name.strip()] = value.strip().strip("\"'")
    return found


def _from(rest: str, known: Mapping[str, str]) -> tuple[str, str]:
    words = [word for word in rest.split() if not word.startswith("--")]
    image = re.sub(r"\$\{?(\w+)\}?", lambda found: known.get(found[1], ""), words[0])
    return image.partition("@sha256:")[0], words[2] if len(words) > 2 else ""


def _copied(rest: str) -> list[str]:
    words = rest.split()
    if any(word.startswith("--from=") for word in words):
        return []
    plain = [word for word in words if not word.startswith("--")]
    if plain and plain[0].startswith("["):
        plain = json.loads(" ".join(plain))
    return [word for word in plain[:-1] if "://" not in word]


def _bound(rest: str) -> list[str]:
    """The sources of `RUN --mount=type=bind`; without `source` that is the whole context."""
    mounts = [dict(part.partition("=")[::2] for part in found.split(",")) for found in re.findall(r"--mount=(\S+)", rest)]
    bound = [mount for mount in mounts if mount.get("type", "bind") == "bind" and "from" not in mount]
    return [mount.get("source") or mount.get("src") or "." for mount in bound]


def _below(path: Path) -> Iterator[Path]:
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for entry in path.iterdir():
        if entry.name not in _IGNORED:
            yield from _below(entry)


def _ignored(context: Path) -> set[Path]:
    listed = (
        subprocess.run(
            ["git", "ls-files", "--others", "--ignored", "--exclude-standard", "-z"],
            cwd=context,
            capture_output=True,
            text=True,
            check=False,
        )
        if shutil.which("git")
        else None
    )
    return {Path(name) for name in listed.stdout.split("\0") if name} if listed and listed.returncode == 0 else set()
