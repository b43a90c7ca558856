"""llmobs_sdk: every kind of function keeps its behaviour and becomes one span; without an SDK nothing happens."""

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runtime import machine
from tests.runtime.pod import Finished, Pod

SDK = machine.ROOT / "runtime" / "sdk"

FUNCTIONS = """
    import asyncio, inspect
    from llmobs_sdk import feedback, observe, retrieval, score, validation

    @observe
    def bare(x):
        "Says x."
        return x
    @observe("workflow", name="all")
    def workflow():
        return [bare(1), agent("q"), list(several(3))]
    @observe("agent")
    def agent(question, *, loud=False):
        return tool(question)
    @observe("tool")
    def tool(question):
        if question == "bad":
            raise KeyError("the-prompt")
        return question.upper()
    @observe("task")
    def several(count):
        for number in range(count):
            bare(number)
            got = yield number
            if got:
                bare(got)
        return "returned"
    def taken():
        return (yield from several(1))
    class Agent:
        @observe("agent", name="method")
        def run(self):
            return self
        @classmethod
        @observe("tool", name="of class")
        def make(cls):
            return cls()
    @observe("agent", name="async")
    async def asynchronous():
        async with asyncio.timeout(60):
            await asyncio.sleep(0)
            with retrieval("handbook", top_k=5) as search:
                await asyncio.sleep(0)
                search.found(["a", "b"])
            return "async"
    @observe("workflow", name="stream")
    async def stream():
        for number in range(3):
            await asyncio.sleep(0)
            bare(number)
            yield number

    assert workflow() == [1, "Q", [0, 1, 2]]
    try:
        agent("bad", loud=True)
    except KeyError as error:
        assert error.args == ("the-prompt",)
    generator = taken()
    assert next(generator) == 0
    try:
        generator.send("sent")
    except StopIteration as stop:
        assert stop.value == "returned"
    left = several(9)
    assert next(left) == 0
    bare("between")
    left.close()
    thrown = several(9)
    next(thrown)
    try:
        thrown.throw(OSError("the-prompt"))
    except OSError:
        pass
    Agent.make().run()
    assert inspect.iscoroutinefunction(asynchronous) and inspect.isasyncgenfunction(stream) and inspect.isgeneratorfunction(several)
    assert (bare.__name__, bare.__doc__) == ("bare", "Says x.")
    async def main():
        assert await asynchronous() == "async"
        assert [item async for item in stream()] == [0, 1, 2]
        abandoned = stream()
        await anext(abandoned)
        bare("between")
        await abandoned.aclose()
    asyncio.run(main())
    try:
        with retrieval() as search:
            search.found(7)
            raise OSError
    except OSError:
        pass
    try:
        observe("robot")
    except ValueError as error:
        print(error)
"""
REPORTS = """
    @observe("agent", name="judged")
    def judged():
        score("faithfulness", 0.9, label="good")
        validation("json", passed=False)
        return trace.get_current_span().get_span_context()
    context = judged()
    feedback("up", on=context)
    validation("language", passed=True, on=f"00-{context.trace_id:032x}-{context.span_id:016x}-01")
    feedback("down", on="nonsense")
    score("nothing", float("nan"))
"""
PROVIDER = """
    import json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
"""
PRINT = """
    spans = sorted(kept.get_finished_spans(), key=lambda span: span.start_time)
    names = {span.context.span_id: span.name for span in spans}
    print(json.dumps([
        {"name": s.name, "parent": s.parent and names[s.parent.span_id], "said": dict(s.attributes),
         "failed": not s.status.is_ok, "events": len(s.events), "words": s.status.description} for s in spans
    ]))
"""
Told = list[dict[str, Any]]


def told(done: Finished) -> Told:
    assert (done.status, done.err) == (0, "")
    spans: Told = json.loads(done.out.splitlines()[-1])
    return spans


@pytest.fixture
def own(pod_of: Callable[[Path], Pod]) -> Pod:
    """An application with an OpenTelemetry of its own, and none of ours."""
    pod = pod_of(machine.environment("own"))
    pod.path = [str(SDK)]
    return pod


def test_functions(own: Pod) -> None:
    done = own.run(PROVIDER + FUNCTIONS + PRINT, LLMOBS_ENDPOINT="")
    assert done.out.startswith("observe: 'robot' is none of workflow, task, agent, tool\n")
    spans = told(done)
    seen = [(span["name"], span["parent"], span["said"].get("error.type")) for span in spans]
    assert seen == [
        ("invoke_workflow all", None, None),
        ("bare", "invoke_workflow all", None),
        ("invoke_agent agent", "invoke_workflow all", None),
        ("execute_tool tool", "invoke_agent agent", None),
        ("several", "invoke_workflow all", None),
        *[("bare", "several", None)] * 3,
        ("invoke_agent agent", None, "KeyError"),
        ("execute_tool tool", "invoke_agent agent", "KeyError"),
        ("several", None, None),
        *[("bare", "several", None)] * 2,
        ("several", None, None),
        ("bare", "several", None),
        ("bare", None, None),
        ("several", None, "OSError"),
        ("bare", "several", None),
        ("execute_tool of class", None, None),
        ("invoke_agent method", None, None),
        ("invoke_agent async", None, None),
        ("retrieval handbook", "invoke_agent async", None),
        ("invoke_workflow stream", None, None),
        *[("bare", "invoke_workflow stream", None)] * 3,
        ("invoke_workflow stream", None, None),
        ("bare", "invoke_workflow stream", None),
        ("bare", None, None),
        ("retrieval", None, "OSError"),
    ]
    assert "the-prompt" not in done.out
    assert all(span["failed"] == ("error.type" in span["said"]) for span in spans)
    assert [span for span in spans if span["events"] or span["words"]] == []
    said = {span["name"]: span["said"] for span in spans}
    assert said["invoke_workflow all"] == {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "all"}
    assert said["invoke_agent method"] == {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "method"}
    assert said["execute_tool of class"] == {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "of class"}
    assert said["retrieval handbook"] == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.data_source.id": "handbook",
        "gen_ai.retrieval.top_k": 5,
        "llmobs.retrieval.results": 2,
    }
    assert said["retrieval"]["llmobs.retrieval.results"] == 7


def test_reports(own: Pod) -> None:
    spans = told(own.run(PROVIDER + "    from llmobs_sdk import *\n" + REPORTS + PRINT, LLMOBS_ENDPOINT=""))
    assert [(span["name"], span["parent"], span["said"]) for span in spans[1:]] == [
        (
            "evaluation faithfulness",
            "invoke_agent judged",
            {
                "gen_ai.evaluation.name": "faithfulness",
                "gen_ai.evaluation.score.value": 0.9,
                "gen_ai.evaluation.score.label": "good",
            },
        ),
        ("validation json", "invoke_agent judged", {"llmobs.validation.check": "json", "llmobs.validation.outcome": "failed"}),
        ("feedback up", "invoke_agent judged", {"llmobs.feedback.kind": "up"}),
        ("validation language", "invoke_agent judged", {"llmobs.validation.check": "language", "llmobs.validation.outcome": "passed"}),
        ("feedback down", None, {"llmobs.feedback.kind": "down"}),
    ]


def test_without_an_sdk_nothing_happens(pod_of: Callable[[Path], Pod]) -> None:
    """With the API alone, as its dependencies have it."""
    pod = pod_of(machine.environment("family"))
    pod.path = [str(SDK)]
    code = """
    from importlib import metadata
    try:
        metadata.version("opentelemetry-sdk")
    except metadata.PackageNotFoundError:
        print("the API alone")
    from opentelemetry import trace
    """
    done = pod.run(code + FUNCTIONS + REPORTS, LLMOBS_ENDPOINT="")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("the API alone\n")


def test_the_package(tmp_path: Path) -> None:
    copy = tmp_path / "sdk"
    subprocess.run(["cp", "-r", str(SDK), str(copy)], check=True)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(copy)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    product = tomllib.loads((machine.ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert wheel.name == f"llmobs_sdk-{product}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        files = {name for name in archive.namelist() if name.startswith("llmobs_sdk/")}
        metadata = archive.read(f"llmobs_sdk-{product}.dist-info/METADATA").decode()
    assert files == {f"llmobs_sdk/{path.name}" for path in (SDK / "llmobs_sdk").iterdir() if path.is_file()}
    assert "llmobs_sdk/py.typed" in files
    assert "Requires-Dist: opentelemetry-api<2,>=1.20" in metadata
    assert f'__version__ = "{product}"' in (SDK / "llmobs_sdk" / "__init__.py").read_text()
