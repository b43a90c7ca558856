"""Applications that make spans of LLMs themselves, or use frameworks that do: all of it arrives once, and theirs stays as it was."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.otlp import Span
from tests.runtime import machine
from tests.runtime.pod import Finished, Pod

SDK = machine.ROOT / "runtime" / "sdk"
PROVIDER = """
    import json
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, DEFAULT_ON
    kept = InMemorySpanExporter()
    provider = TracerProvider(sampler=SAMPLER)
    provider.add_span_processor(BatchSpanProcessor(kept))
"""
CALL = """
    with trace.get_tracer("application").start_as_current_span("request", UPSTREAM):
        openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "the-prompt"}])
    provider.force_flush()
    spans = kept.get_finished_spans()
    print(json.dumps([(span.name, f"{span.context.span_id:016x}", len(span.events), len(span.attributes)) for span in spans]))
"""
UPSTREAM = """trace.set_span_in_context(trace.NonRecordingSpan(trace.SpanContext(0xa << 120, 0xb << 56, True, trace.TraceFlags(0))))"""
OFFICIAL = "from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor"
V2 = "from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor"
ORDERS = {
    "instrumented after the import": """
    trace.set_tracer_provider(provider)
    import openai
    INSTRUMENTOR
    OpenAIInstrumentor().instrument()
    """,
    "instrumented before the import": """
    trace.set_tracer_provider(provider)
    INSTRUMENTOR
    OpenAIInstrumentor().instrument()
    import openai
    """,
    "with a provider that is not the global one": """
    import openai
    INSTRUMENTOR
    OpenAIInstrumentor().instrument(tracer_provider=provider)
    """,
    "with a provider that comes later": """
    import openai
    INSTRUMENTOR
    OpenAIInstrumentor().instrument()
    trace.set_tracer_provider(provider)
    """,
}


def application(order: str, *, instrumentor: str = OFFICIAL, sampler: str = "DEFAULT_ON", upstream: str = "None") -> str:
    text = PROVIDER + ORDERS[order] + CALL
    return text.replace("SAMPLER", sampler).replace("INSTRUMENTOR", instrumentor).replace("UPSTREAM", upstream)


def told(done: Finished) -> list[list[Any]]:
    assert (done.status, done.err) == (0, "")
    spans: list[list[Any]] = json.loads(done.out)
    return spans


def calls(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.attributes.get("gen_ai.request.model")]


@pytest.fixture
def own(pod_of: Callable[[Path], Pod]) -> Pod:
    return pod_of(machine.environment("own"))


@pytest.mark.parametrize("order", ORDERS)
def test_an_application_that_instruments_itself(own: Pod, order: str) -> None:
    without = told(own.run(application(order), LLMOBS_ENDPOINT=""))
    spans = told(own.run(application(order)))
    assert [(name, *rest) for name, _, *rest in spans] == [(name, *rest) for name, _, *rest in without]
    assert "chat gpt-4o" in [name for name, *_ in spans]
    # Its own call, with our identity; its other spans tell nothing of LLMs.
    (call,) = own.spans(1)
    assert call.span_id in {number for name, number, *_ in spans if name == "chat gpt-4o"}
    assert (call.resource["service.name"], call.attributes["gen_ai.usage.input_tokens"]) == ("chat", 1000)


DROPPED = [*((order, "DEFAULT_ON", UPSTREAM) for order in ORDERS), ("instrumented after the import", "ALWAYS_OFF", "None")]


@pytest.mark.parametrize(("order", "sampler", "upstream"), DROPPED, ids=[*ORDERS, "own sampler"])
def test_its_sampling_loses_no_money(own: Pod, order: str, sampler: str, upstream: str) -> None:
    spans = told(own.run(application(order, sampler=sampler, upstream=upstream)))
    assert spans == []
    (call,) = own.spans(1)
    assert call.attributes["gen_ai.usage.input_tokens"] == 1000


def test_the_instrumentation_before_the_official_one(pod_of: Callable[[Path], Pod]) -> None:
    """Ours cannot be loaded beside it: its spans are taken, with what it needs untouched."""
    pod = pod_of(machine.environment("v2"))
    for order in ("instrumented after the import", "instrumented before the import"):
        done = pod.run(application(order, instrumentor=V2), LLMOBS_LOG="info")
        assert "OldOpenTelemetry: the application has opentelemetry-util-genai 0." in done.err
        spans = json.loads(done.out)
        assert [name for name, *_ in spans] == ["chat gpt-4o", "request"]
        call = pod.spans(1)[-1]
        assert (call.span_id, call.attributes["gen_ai.usage.input_tokens"]) == (spans[0][1], 1000)
        assert len(pod.gateway.spans) == 1
        pod.gateway.spans.clear()


@pytest.mark.parametrize("environment", ["old", "middle"], ids=["1.20", "1.40"])
def test_an_opentelemetry_that_is_old(pod_of: Callable[[Path], Pod], environment: str) -> None:
    pod = pod_of(machine.environment(environment))
    code = """
    trace.set_tracer_provider(provider)
    import openai
    said = {"gen_ai.operation.name": "chat", "gen_ai.prompt": "the-prompt"}
    with trace.get_tracer("hand-made").start_as_current_span("chat", attributes=said):
        pass
    """
    spans = told(pod.run((PROVIDER + code + CALL).replace("SAMPLER", "ALWAYS_OFF").replace("UPSTREAM", "None")))
    assert spans == []
    (call,) = pod.spans(1)
    assert (call.name, dict(call.attributes)) == ("chat", {"gen_ai.operation.name": "chat"})


TRACELOOP = """
    import asyncio, json, sys
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import agent, task, tool, workflow
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    kept = InMemorySpanExporter()
    IMPORT
    Traceloop.init(app_name="theirs", exporter=kept, disable_batch=True)
    import openai, anthropic
    ask = {"messages": [{"role": "user", "content": "the-prompt"}]}
    @task(name="joke_task")
    def joke():
        return openai.OpenAI().chat.completions.create(model="gpt-4o", **ask)
    @tool(name="search_tool")
    def search():
        return "the-prompt"
    @agent(name="joke_agent")
    def asks():
        search()
        search()
        return anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=9, **ask)
    @workflow(name="joke_workflow")
    def run():
        joke()
        asks()
    run()
    print(json.dumps(sorted(span.name for span in kept.get_finished_spans())))
"""


@pytest.fixture
def traceloop(pod_of: Callable[[Path], Pod]) -> Pod:
    return pod_of(machine.environment("traceloop"))


@pytest.mark.parametrize("before", ["import openai, anthropic", "pass"], ids=["libraries imported before", "libraries imported after"])
def test_openllmetry_in_the_application(traceloop: Pod, before: str) -> None:
    code = TRACELOOP.replace("IMPORT", before)
    quiet = {"TRACELOOP_TELEMETRY": "false"}
    without = traceloop.run(code, LLMOBS_ENDPOINT="", **quiet)
    done = traceloop.run(code, **quiet)
    assert (done.status, done.out.splitlines()[-1]) == (0, without.out.splitlines()[-1]), done.err
    spans = {span.name: span for span in traceloop.spans(7)}
    # One for each call, and the names that the application gave.
    assert sorted(span.attributes["gen_ai.request.model"] for span in calls(traceloop.gateway.spans)) == ["claude-sonnet-4-6", "gpt-4o"]
    assert spans["joke_workflow.workflow"].attributes["traceloop.workflow.name"] == "joke_workflow"
    assert spans["joke_task.task"].attributes["traceloop.entity.name"] == "joke_task"
    (call,) = [span for span in calls(traceloop.gateway.spans) if span.attributes["gen_ai.request.model"] == "gpt-4o"]
    assert call.attributes["traceloop.workflow.name"] == "joke_workflow"
    run = spans["joke_agent.agent"].attributes
    assert (run["llmobs.run.steps"], run["llmobs.run.tool_calls"], run["llmobs.run.loop.count"]) == (1, 2, 2)
    assert run["llmobs.run.models"] == ["anthropic/claude-sonnet-4-6"]
    # It captures content by default; to us none of it is sent.
    assert b"the-prompt" not in traceloop.gateway.raw


STAND_IN = """
    from llmobs_sdk import observe
    import openai
    from opentelemetry import trace
    assert type(trace.get_tracer_provider()) is trace.ProxyTracerProvider
    web = trace.get_tracer("web-framework")
    early = trace.get_tracer("pydantic-ai")
    @observe("tool")
    def search():
        pass
    @observe("agent", name="native")
    def run():
        search()
        with web.start_as_current_span("GET"):
            openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "the-prompt"}])
        # What a framework tells of the same request counts once.
        with early.start_as_current_span("chat", attributes={"gen_ai.operation.name": "chat", "gen_ai.prompt": "the-prompt"}):
            openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "the-prompt"}])
        with early.start_as_current_span("running tools", attributes={"all_messages": "the-prompt", "count": 1}) as span:
            span.record_exception(ValueError("the-prompt"))
            span.set_status(trace.StatusCode.ERROR, "the-prompt")
"""


@pytest.fixture
def plain(pod: Pod) -> Pod:
    pod.path = [str(SDK)]
    return pod


def test_frameworks_are_seen_while_there_is_no_provider(plain: Pod) -> None:
    done = plain.run(STAND_IN + "\n    run()")
    assert (done.status, done.out, done.err) == (0, "", "")
    spans = {span.name: span for span in plain.spans(5)}
    assert sorted(spans) == ["chat gpt-4o", "chat gpt-4o-mini", "execute_tool search", "invoke_agent native", "running tools"]
    agent = spans["invoke_agent native"]
    assert {span.parent_id for span in spans.values()} == {"", agent.span_id}
    assert {spans[f"chat {model}"].attributes["gen_ai.agent.name"] for model in ("gpt-4o", "gpt-4o-mini")} == {"native"}
    assert (agent.attributes["llmobs.run.steps"], agent.attributes["llmobs.run.tool_calls"]) == (2, 1)
    assert agent.attributes["llmobs.run.models"] == ["openai/gpt-4o", "openai/gpt-4o-mini"]
    assert dict(spans["running tools"].attributes) == {"count": 1}
    assert b"the-prompt" not in plain.gateway.raw
    assert [call for call in plain.llm.calls if "traceparent" in call.headers] == []


def test_the_stand_in_yields_to_a_provider_that_comes_later(own: Pod) -> None:
    own.path = [str(SDK)]
    later = """
    run()
    def own_spans():
        return sorted(span.name for span in kept.get_finished_spans())
    provider.force_flush()
    assert own_spans() == [], own_spans()
    trace.set_tracer_provider(provider)
    assert trace.get_tracer_provider() is provider
    run()
    provider.force_flush()
    print(own_spans())
    """
    done = own.run((PROVIDER + STAND_IN + later).replace("SAMPLER", "DEFAULT_ON"))
    assert (done.status, done.err) == (0, "")
    assert done.out == "['GET', 'chat', 'execute_tool search', 'invoke_agent native', 'running tools']\n"
    spans = own.spans(9)
    names = sorted(span.name for span in spans)
    assert names == sorted(["chat gpt-4o", "chat gpt-4o-mini", "execute_tool search", "invoke_agent native"] * 2 + ["running tools"])
    assert [span.attributes["llmobs.run.steps"] for span in spans if span.name == "invoke_agent native"] == [2, 2]
    assert b"the-prompt" not in own.gateway.raw


def test_every_convention_is_read(own: Pod) -> None:
    """OpenInference names everything otherwise; its runs are counted all the same, and its doubles are not."""
    code = """
    trace.set_tracer_provider(provider)
    import openai
    tracer = trace.get_tracer("openinference.instrumentation.anything")
    def span(kind, **said):
        named = {key.replace("__", "."): value for key, value in said.items()}
        return tracer.start_as_current_span(kind, attributes={"openinference.span.kind": kind, "input.value": "the-prompt", **named})
    with span("AGENT", agent__name="theirs"):
        with span("LLM", llm__system="acme", llm__model_name="m", llm__token_count__prompt=7, llm__token_count__completion=3):
            pass
        with span("LLM", llm__model_name="gpt-4o", llm__token_count__prompt=7):
            openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "the-prompt"}])
        with span("TOOL", tool__name="search"):
            pass
    """
    done = own.run((PROVIDER + code).replace("SAMPLER", "DEFAULT_ON"))
    assert (done.status, done.err) == (0, "")
    spans = {span.name: span for span in own.spans(4)}
    assert sorted(spans) == ["AGENT", "LLM", "TOOL", "chat gpt-4o"]
    run = {key.removeprefix("llmobs.run."): value for key, value in spans["AGENT"].attributes.items() if key.startswith("llmobs.run.")}
    assert (run["steps"], run["tool_calls"], run["loop.tool"]) == (2, 1, "search")
    assert (run["models"], run["input_tokens"], run["output_tokens"]) == (["acme/m", "openai/gpt-4o"], [7, 1000], [3, 200])
    # The double of the request is gone, and what stood in it hangs on the agent.
    assert spans["chat gpt-4o"].parent_id == spans["AGENT"].span_id
    assert b"the-prompt" not in own.gateway.raw
