"""Records spans as instrumentations send them: real clients and real instrumentations against the fake APIs.

    uv run --no-project --with-requirements tests/recording/official.in python -m tests.recording official

writes ``tests/collector/recorded/official.json``; the other families are the other ``.in`` files beside this one. Identifiers,
times and ports are replaced, so that a second recording differs only where the instrumentation does.
"""

import asyncio
import importlib.metadata
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.clouds import FakeClouds
from tests.recording import calls
from tests.recording.families import FAMILIES
from tests.recording.still import still

FOLDER = Path(__file__).parents[1] / "collector" / "recorded"


def main(family: str) -> None:
    """Record one family."""
    with FakeLLM() as llm, FakeClouds() as clouds:
        os.environ.update(LLM=llm.url, CLOUDS=clouds.url, OPENAI_API_KEY="k", OTEL_SEMCONV_STABILITY_OPT_IN="")
        made = {"made_by": f"python -m tests.recording {family}", "packages": packages(family), "calls": dict(recorded(family))}
    path = FOLDER / f"{family}.json"
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def packages(family: str) -> dict[str, str]:
    """The versions of the instrumentations."""
    lines = (Path(__file__).parent / f"{family}.in").read_text().split()
    wanted = [re.split("[=<>]", line)[0] for line in lines]
    return {name: importlib.metadata.version(name) for name in sorted(wanted)}


def recorded(family: str) -> Iterator[tuple[str, Any]]:
    """Each call's name, what the provider counts of it, and the export request that it made."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "recorded"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    made = FAMILIES[family]
    made.install()
    asyncio.set_event_loop(asyncio.new_event_loop())
    for kind in made.cases:
        for case in getattr(calls, f"{kind}_cases")():
            memory.clear()
            case.call()
            spans = memory.get_finished_spans()
            yield case.name, {"bill": asdict(case.bill), "export": still(MessageToDict(encode_spans(spans)))}


if __name__ == "__main__":
    main(sys.argv[1])
