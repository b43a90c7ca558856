"""A source of policies: YAML and JSON files of a folder, read again when they change."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from llmobs.api import names
from llmobs.kit.documents import Document, files, read
from llmobs.kit.errors import Invalid
from llmobs.webhook.store import CORE, KINDS, Store

POLL = 1.0
"""Seconds between looks at the folder: a mounted ConfigMap is swapped by a link."""

logger = logging.getLogger(__name__)

Stamp = tuple[tuple[str, int, int, int], ...]


class FileSource:
    """Feeds a store from LLMObservability, ClusterLLMObservability, Namespace, LimitRange and ResourceQuota objects in files."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, store: Store) -> Stamp:
        """Read everything into the store; returns the stamp of what was read. Raises :class:`Invalid` for files that are no YAML."""
        stamp = self._stamp()
        documents = [item for item in read(self._path) if _ours(item)]
        for kind in KINDS:
            store.replace(kind, [item.body for item in documents if item.body["kind"] == kind])
        return stamp

    async def run(self, store: Store) -> None:
        """Load, then again whenever a file changes; files that cannot be read leave the last good state."""
        seen = self.load(store)
        while True:
            await asyncio.sleep(POLL)
            seen = self._again(store, seen)

    def _again(self, store: Store, seen: Stamp) -> Stamp:
        try:
            stamp = self._stamp()
            return seen if stamp == seen else self._loaded(store)
        except Invalid as invalid:
            logger.error("policies are not read, the last good ones stay: %s", invalid)
            return self._stamp()

    def _loaded(self, store: Store) -> Stamp:
        stamp = self.load(store)
        logger.info("policies read again from %s", self._path)
        return stamp

    def _stamp(self) -> Stamp:
        try:
            found = [(str(path), path.stat()) for path in (files(self._path) if self._path.is_dir() else [self._path])]
        except OSError:
            return ()
        return tuple((name, item.st_ino, item.st_mtime_ns, item.st_size) for name, item in found)


def _ours(document: Document) -> bool:
    kind = document.body.get("kind")
    version = "v1" if kind in CORE else names.API_VERSION
    return kind in KINDS and document.body.get("apiVersion") == version
