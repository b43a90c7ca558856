"""Called by the import hook when the application has imported an LLM library; never raises.

Everything of ours that is not needed before is imported here, after the checks that need none of it.
"""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from llmobs_runtime import compatibility, log
from llmobs_runtime.libraries import INSTRUMENTORS, NAMES
from llmobs_runtime.reasons import Reason, RefusedError
from llmobs_runtime.settings import Settings, settings

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

BUNDLE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bundle")  # noqa: PTH100, PTH118, PTH120


@dataclass(frozen=True)
class Pipeline:
    """What every library of this process shares."""

    provider: TracerProvider
    settings: Settings


_lock = threading.RLock()
_built: list[Pipeline] = []
_refused: list[RefusedError] = []


def activate(library: str) -> None:
    """Instrument a library that has just been imported; whatever goes wrong leaves it as it was."""
    try:
        _activate(library)
    except RefusedError as refused:
        log.info(f"{library}: {refused}")
    except Exception as error:
        log.failure(f"{library}: {Reason.FAILED.value}", error)
    else:
        log.info(f"{library}: {Reason.ACTIVE.value}")


def _activate(library: str) -> None:
    pipeline = _pipeline()
    if pipeline.settings.off & {NAMES.get(library, library), "*"}:
        raise RefusedError(Reason.DISABLED, "named in OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")
    from llmobs_runtime.instrument import instrument

    instrument(INSTRUMENTORS[library], pipeline.provider, content=pipeline.settings.content)


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
    compatibility.check()
    # Last, so that every package the application has wins over ours.
    if BUNDLE not in sys.path:
        sys.path.append(BUNDLE)
    _import_opentelemetry()
    from llmobs_runtime import exits
    from llmobs_runtime.annotate import Annotations
    from llmobs_runtime.exporter import Exporter
    from llmobs_runtime.provider import ProcessResource, tracer_provider
    from llmobs_runtime.quiet import QuietTracerProvider
    from llmobs_runtime.spool import Spool

    exporter = Exporter(chosen.url, chosen.timeout)
    spool = Spool(exporter.send, delay=chosen.delay, size=chosen.queue, batch=chosen.batch, started=exits.at_worker_exit)
    exits.at_exit(spool)
    exits.at_sigterm(spool)
    resource = ProcessResource(chosen.resource, fixed_instance=chosen.fixed_instance)
    return Pipeline(QuietTracerProvider(tracer_provider(resource, Annotations(spool, chosen.baggage)), content=chosen.content), chosen)


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
