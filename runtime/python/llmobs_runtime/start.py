"""What runs at the start of every Python process of the pod: installs the import hook, hands over to the application.

Any version of Python may run this, so: standard library only, no syntax that Python 2.7 does not know, no output, and no
exception but the application's own. Below Python 3.10 it only hands over.
"""

# pathlib is not loaded yet at start, and importing it would cost every process of the pod:
# ruff: noqa: PTH100, PTH120

import os
import sys

_begun = []  # type: list[str]


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


def _after(folder):
    # type: (str) -> list[str]
    """Return what follows this folder on the path.

    What stands before it has had its turn: Python imported it instead of ours, or it called ours.
    """
    entries = [os.path.abspath(entry or ".") for entry in sys.path]
    return sys.path[entries.index(folder) + 1 :] if folder in entries else []


def hand_over(name, caller):
    # type: (str, str) -> None
    """Run the module of this name that Python would have imported without us; what it raises is the application's."""
    if sys.version_info < (3, 4):
        return
    folder = os.path.dirname(os.path.abspath(caller))
    spec = sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name, _after(folder))
    if spec is None or spec.loader is None:
        return
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
