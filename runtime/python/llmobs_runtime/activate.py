"""Called by the import hook when the application has imported an LLM library; never raises.

Everything of ours that is not needed before is imported here, after the checks that need none of it.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from llmobs_runtime import compatibility, log, neighbours
from llmobs_runtime.libraries import INSTRUMENTORS, NAMES, VECTOR_STORES
from llmobs_runtime.reasons import Reason, RefusedError
from llmobs_runtime.settings import Settings, settings

if TYPE_CHECKING:
    from llmobs_runtime.application import Listener
    from llmobs_runtime.quiet import QuietTracerProvider

BUNDLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bundle")  # noqa: PTH100, PTH118, PTH120


@dataclass(frozen=True)
class Pipeline:
    """What every library of this process shares."""

    settings: Settings
    listener: Listener
    """Hears the application's providers."""
    provider: QuietTracerProvider | None
    """Ours; None where the application's OpenTelemetry lets us only listen."""
    refused: RefusedError | None = None
    """Why we only listen."""


_lock = threading.RLock()
_built: list[Pipeline] = []
_refused: list[RefusedError] = []
_active: dict[str, Any] = {}


def activate(library: str) -> None:
    """Instrument a library that has just been imported; whatever goes wrong leaves it as it was."""
    try:
        outcome = _activate(library)
    except RefusedError as refused:
        log.info(f"{library}: {refused}")
    except Exception as error:
        log.failure(f"{library}: {Reason.FAILED.value}", error)
    else:
        log.info(f"{library}: {outcome.value}")


def withdraw(library: str) -> None:
    """End our instrumentation of a library, since the application's own begins."""
    for module in _modules(library):
        own = _active.pop(module, None)
        if own is not None:
            own.uninstrument()
            log.info(f"{module}: {Reason.APPLICATION_INSTRUMENTS.value}: it does so now")


def _modules(library: str) -> list[str]:
    """What wakes us for a library, as far as it is imported."""
    searching = [module for module, store in VECTOR_STORES.items() if store == library]
    return [module for module in searching or [library] if module in sys.modules]


def beside(library: str, provider: Any) -> None:
    """Hear the provider that the application instruments a library with; where it does not after all, take it up again."""
    try:
        if library not in neighbours.theirs:
            for module in _modules(library):
                activate(module)
        elif provider is not None:
            _pipeline().listener.listen(provider)
    except RefusedError as refused:
        log.info(f"{library}: {refused}")
    except Exception as error:
        log.failure(f"{library}: the application's provider", error)


def _activate(module: str) -> Reason:
    pipeline = _pipeline()
    library = VECTOR_STORES.get(module, module)
    if pipeline.settings.off & {NAMES.get(library, library), "*"}:
        raise RefusedError(Reason.DISABLED, "named in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")
    if pipeline.provider is None or (module not in INSTRUMENTORS and module not in VECTOR_STORES):
        if pipeline.refused is not None:
            raise pipeline.refused
        return Reason.LISTENING
    if neighbours.already(library):
        raise RefusedError(Reason.APPLICATION_INSTRUMENTS, "its spans are taken from its own provider")
    _active[module] = _instrumented(module, pipeline.provider, content=pipeline.settings.content)
    return Reason.ACTIVE


def _instrumented(module: str, provider: QuietTracerProvider, *, content: bool) -> Any:
    if module in VECTOR_STORES:
        from llmobs_runtime.searches import Searches

        return Searches(sys.modules[module], provider)
    from llmobs_runtime.instrument import instrument

    return instrument(INSTRUMENTORS[module], provider, content=content, needs=compatibility.WIDER.get(module, ()))


def _pipeline() -> Pipeline:
    """The one pipeline of this process, built once; what refused it the first time refuses it ever after."""
    with _lock:
        if _refused:
            raise _refused[0]
        if not _built:
            try:
                _built.append(_build(settings(os.environ)))
            except RefusedError as refused:
                _refused.append(refused)
                raise
        return _built[0]


def _build(chosen: Settings) -> Pipeline:
    refused = compatibility.refusal()
    if refused is None and BUNDLE not in sys.path:
        # Last, so that every package the application has wins over ours.
        sys.path.append(BUNDLE)
    _import_opentelemetry()
    from llmobs_runtime import application, exits
    from llmobs_runtime.annotate import Annotations, Rules
    from llmobs_runtime.application import Listener
    from llmobs_runtime.exporter import Exporter
    from llmobs_runtime.identity import ProcessResource
    from llmobs_runtime.quiet import QuietTracerProvider
    from llmobs_runtime.recorder import Recorder, limits
    from llmobs_runtime.spool import Spool

    exporter = Exporter(chosen.url, chosen.timeout)
    spool = Spool(exporter.send, delay=chosen.delay, size=chosen.queue, batch=chosen.batch, started=exits.at_worker_exit)
    exits.at_exit(spool)
    exits.at_sigterm(spool)
    resource = ProcessResource(chosen.resource, fixed_instance=chosen.fixed_instance)
    annotations = Annotations(spool.on_end, Rules(chosen.baggage, chosen.content, resource, _told))
    listener = Listener(annotations, ours=False)
    application.follow(listener)
    if refused is not None:
        return Pipeline(chosen, listener, None, refused)
    recorder = Recorder(resource, Listener(annotations, ours=True), limits())
    ours = QuietTracerProvider(recorder, content=chosen.content)
    application.stand_in(ours)
    return Pipeline(chosen, listener, ours)


def _told(library: str) -> bool:
    return library in _active or library in neighbours.theirs


def _import_opentelemetry() -> None:
    """Import it even where it refuses: a variable set for all pods may name a propagator that this image lacks.

    The application cannot be using OpenTelemetry then, so for the moment of a second attempt the variables are hidden.
    """
    try:
        _import_all()
    except ValueError as error:
        log.failure("OpenTelemetry with its defaults", error)
        hidden = {name: os.environ.pop(name) for name in list(os.environ) if name == "OTEL_PROPAGATORS" or _is_limit(name)}
        try:
            _import_all()
        finally:
            os.environ.update(hidden)


def _import_all() -> None:
    for name in ("opentelemetry.sdk.trace", "opentelemetry.propagate"):
        import_module(name)


def _is_limit(name: str) -> bool:
    return name.startswith("OTEL_") and name.endswith("_LIMIT")
