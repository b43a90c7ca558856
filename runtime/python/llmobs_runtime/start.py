"""What runs at the start of every Python process of the pod: installs the import hook, hands over to the application.

Any version of Python may run this, so: standard library only, no syntax that Python 2.7 does not know, no output, and no
exception but the application's own. Below Python 3.10 it only hands over.
"""

# pathlib is not loaded yet at start, and importing it would cost every process of the pod:
# ruff: noqa: PTH100, PTH120

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any  # noqa: F401 -- in a comment, as Python 2 wants it

_begun = []  # type: list[str]
_run = []  # type: list[object]


def begin(caller):
    # type: (str) -> None
    """Install the import hook where there is an endpoint to send to; once, whoever calls."""
    try:
        if not _begun:
            _begun.append(caller)
            _begin()
    except Exception:
        # A process that we cannot observe must start as it would without us.
        pass


def _begin():
    # type: () -> None
    if not os.environ.get("LLMOBS_ENDPOINT"):
        return
    if sys.version_info < (3, 10):
        if os.environ.get("LLMOBS_LOG") and sys.stderr is not None:
            sys.stderr.write("llmobs: UnsupportedPython: %d.%d is older than 3.10\n" % sys.version_info[:2])
        return
    from llmobs_runtime import hook

    hook.install()


def _next(name, folder):
    # type: (str, str) -> Any
    """Return the spec of the module of this name that follows this folder on the path, and was not run before; None without one.

    What stands before the folder has had its turn: Python imported it instead of ours, or it called ours. What was run before
    is another agent's that looks for the next one itself, and finds ours again where ours comes first.
    """
    find = sys.modules["_frozen_importlib_external"].PathFinder.find_spec
    entries = [os.path.abspath(entry or ".") for entry in sys.path]
    behind = sys.path[entries.index(folder) + 1 :] if folder in entries else []
    for entry in behind:
        spec = find(name, [entry])
        if spec is not None and spec.loader is not None and spec.origin not in _run:
            return spec
    return None


def hand_over(name, caller):
    # type: (str, str) -> None
    """Run the module of this name that Python would have imported without us; what it raises is the application's."""
    if sys.version_info < (3, 4):
        return
    spec = _next(name, os.path.dirname(os.path.abspath(caller)))
    if spec is None:
        return
    _run.append(spec.origin)
    ours = sys.modules.get(name)
    # The application sees its own module under this name, as if we were not there.
    module = sys.modules[name] = sys.modules["_frozen_importlib"].module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        # The import system expects to find, and to drop, the module that it was importing.
        if ours is not None:
            sys.modules[name] = ours
        raise
