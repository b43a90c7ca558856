"""Arguments that name files: objects from files, folders and standard input, the configuration file, key=value lists."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from llmobs.api import names
from llmobs.api.kinds import KINDS
from llmobs.api.settings import Settings
from llmobs.kit.decode import decode
from llmobs.kit.documents import Document, parse, read
from llmobs.kit.errors import Invalid

STANDARD_INPUT = "-"


def documents(arguments: Iterable[str]) -> list[Document]:
    """The objects of files, folders and ``-`` (standard input), in order. Raises :class:`Invalid`."""
    return [document for argument in arguments for document in _documents(argument)]


def _documents(argument: str) -> list[Document]:
    if argument == STANDARD_INPUT:
        return parse(sys.stdin.read(), "standard input")
    return read(Path(argument))


def resources(arguments: Iterable[str], *, beside: Iterable[str] = ()) -> dict[str, list[Document]]:
    """Custom resources by kind, and objects of the kinds ``beside`` them; other objects are passed over.

    Raises :class:`Invalid` for an object of our API group that is none of our kinds or versions, and for two of one name.
    """
    known = {item.kind for item in KINDS}
    found: dict[str, list[Document]] = {kind: [] for kind in (*known, *beside)}
    for document in documents(arguments):
        kind, version = str(document.body.get("kind")), str(document.body.get("apiVersion"))
        if version.partition("/")[0] == names.GROUP:
            _expect_ours(document, kind, version)
        elif kind in known:
            raise Invalid(f"{document.source}: apiVersion", f"must be {names.API_VERSION} for a {kind}, not {version}")
        if kind in found:
            found[kind].append(document)
    return found


def _expect_ours(document: Document, kind: str, version: str) -> None:
    if version != names.API_VERSION:
        raise Invalid(f"{document.source}: apiVersion", f"must be {names.API_VERSION}, not {version}")
    if kind not in {item.kind for item in KINDS}:
        raise Invalid(f"{document.source}: kind", f"must be one of {', '.join(item.kind for item in KINDS)}, not {kind}")


def settings(path: str | None) -> Settings:
    """The operator's configuration file; without one the defaults. Raises :class:`Invalid`."""
    if path is None:
        return Settings()
    found = read(Path(path))
    if len(found) > 1:
        raise Invalid(path, "must hold one document")
    try:
        return decode(Settings, found[0].body if found else {})
    except Invalid as invalid:
        raise Invalid(f"{path}: {invalid.path}", invalid.message) from invalid


def key_values(text: str, *, option: str) -> dict[str, str]:
    """``k=v,k=v`` as a mapping. Raises :class:`Invalid`."""
    pairs = [item for item in text.split(",") if item.strip()]
    for pair in pairs:
        if not pair.partition("=")[0].strip() or "=" not in pair:
            raise Invalid(option, f"takes key=value pairs with commas between them, not {pair!r}")
    return {key.strip(): value.strip() for key, _, value in (pair.partition("=") for pair in pairs)}


def kubernetes_version(text: str, *, option: str) -> tuple[int, int]:
    """``1.36``, ``v1.36.2`` as major and minor. Raises :class:`Invalid`."""
    parts = text.strip().removeprefix("v").split(".")
    if len(parts) < 2 or not all(part.isdecimal() for part in parts[:2]):
        raise Invalid(option, f"takes a Kubernetes version such as 1.36, not {text!r}")
    return int(parts[0]), int(parts[1])
