"""Wakes the runtime when, and only when, the application has imported an LLM library.

A finder at the head of sys.meta_path answers None to every other import, which costs a dictionary look-up. For an LLM
library it takes what the finders behind it answer, and has the loader call back once the module has run. The loader
keeps its class and its identity, so that whoever inspects the module sees what would be there without us.
"""

from __future__ import annotations

import os
import sys

from llmobs_runtime.libraries import INSTRUMENTORS, VECTOR_STORES, VECTOR_STORES_WANTED, WAKERS

TYPE_CHECKING = False  # typing itself would cost every process some milliseconds
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType


class LibraryFinder:
    """A finder for sys.meta_path that watches the imports of the LLM libraries."""

    def __init__(self, names: Iterable[str]) -> None:
        self._waiting = set(names)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the module's own spec, its loader watched; None for everything that is not an LLM library."""
        if name not in self._waiting:
            return None
        spec = self._found_behind(name, path, target)
        if spec is not None and spec.loader is not None:
            self._watch(spec)
        return spec

    def _found_behind(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        finders = list(sys.meta_path)
        behind = finders[finders.index(self) + 1 :] if self in finders else finders
        for finder in behind:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find else None
            if spec is not None:
                return spec
        return None

    def _watch(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        execute = getattr(loader, "exec_module", None)
        if execute is None:
            return

        def exec_module(module: ModuleType) -> None:
            # A loader may serve several modules: one for a whole zip file does.
            if module.__name__ != spec.name:
                execute(module)
                return
            vars(loader).pop("exec_module", None)
            execute(module)
            self._imported(spec.name, module)

        try:
            vars(loader)["exec_module"] = exec_module
        except TypeError:
            # Without a place for the callback the library stays unobserved; its import is what matters.
            return

    def _imported(self, name: str, module: ModuleType) -> None:
        self._waiting.discard(name)
        from llmobs_runtime import wake

        wake.imported(name, module)


def install() -> None:
    """Install the finder once; libraries that something imported even earlier are taken up at once."""
    if any(isinstance(finder, LibraryFinder) for finder in sys.meta_path):
        return
    wanted = VECTOR_STORES if os.environ.get(VECTOR_STORES_WANTED) == "true" else ()
    names = [*INSTRUMENTORS, *wanted, *WAKERS]
    early = [name for name in names if name in sys.modules]
    sys.meta_path.insert(0, LibraryFinder([name for name in names if name not in early]))
    if early:
        from llmobs_runtime import wake

        for name in early:
            wake.imported(name, sys.modules[name])
