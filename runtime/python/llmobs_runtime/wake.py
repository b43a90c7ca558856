"""When the runtime starts for a library that has been imported: at once, or with the first client that calls a model."""

from __future__ import annotations

import sys

from llmobs_runtime import log, neighbours
from llmobs_runtime.libraries import INSTRUMENTOR_BASE

TYPE_CHECKING = False  # typing itself would cost every process some milliseconds
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

_MODELS = ("bedrock-runtime", "bedrock-agent-runtime")


def imported(library: str, module: ModuleType) -> None:
    """Take up a library; never raises."""
    try:
        _imported(library, module)
    except Exception as error:
        log.failure(library, error)


def _imported(library: str, module: ModuleType) -> None:
    # Of those who import botocore most never call a model, and are not to pay for it.
    if library == "botocore.client" and hasattr(module, "ClientCreator"):
        _at_first_client(library, module.ClientCreator)
    elif library == INSTRUMENTOR_BASE:
        neighbours.watch(module, _make_way, _begun)
    else:
        _activate(library)


def _at_first_client(library: str, creator: Any) -> None:
    original = creator.create_client

    def create_client(self: Any, service_name: str, *arguments: Any, **named: Any) -> Any:
        if service_name in _MODELS and not done:
            done.append(service_name)
            _activate(library)
        return original(self, service_name, *arguments, **named)

    done: list[str] = []
    for name in ("__module__", "__qualname__", "__doc__"):
        setattr(create_client, name, getattr(original, name, None))
    vars(create_client)["__wrapped__"] = original
    creator.create_client = create_client


def _activate(library: str) -> None:
    from llmobs_runtime import activate

    activate.activate(library)


def _make_way(library: str) -> None:
    if "llmobs_runtime.activate" in sys.modules:
        from llmobs_runtime import activate

        activate.withdraw(library)


def _begun(library: str, provider: Any) -> None:
    """What theirs makes is heard on its provider; where it did not begin, ours returns."""
    if library in sys.modules:
        from llmobs_runtime import activate

        activate.beside(library, provider)
