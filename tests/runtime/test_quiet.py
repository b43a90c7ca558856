"""The application's own OpenTelemetry sees and sends what it would without us, and ours is complete all the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runtime import machine
from tests.runtime.pod import Finished, Pod

OWN_PROVIDER = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.sampling import SAMPLER
    kept = InMemorySpanExporter()
    def set_provider():
        provider = TracerProvider(sampler=SAMPLER)
        provider.add_span_processor(SimpleSpanProcessor(kept))
        trace.set_tracer_provider(provider)
        assert trace.get_tracer_provider() is provider
"""
CALLS = """
    import json
    def in_the_middle(request):
        with trace.get_tracer("application").start_as_current_span("http"):
            pass
    ask = {"messages": [{"role": "user", "content": "hello"}]}
    http = openai.DefaultHttpxClient(event_hooks={"request": [in_the_middle]})
    def call():
        openai.OpenAI(http_client=http).chat.completions.create(model="gpt-4o", **ask)
        anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=9, **ask)
    call()
    with trace.get_tracer("application").start_as_current_span("request"):
        call()
    print(json.dumps([
        {"name": s.name, "id": s.context.span_id, "trace": f"{s.context.trace_id:032x}", "parent": s.parent and s.parent.span_id}
        for s in kept.get_finished_spans()
    ]))
"""
BEFORE = OWN_PROVIDER + "    set_provider()\n    import anthropic, openai\n" + CALLS
AFTER = OWN_PROVIDER + "    import anthropic, openai\n    set_provider()\n" + CALLS


@pytest.fixture
def own(pod_of: Callable[[Path], Pod]) -> Pod:
    """A pod whose application brings an OpenTelemetry that is older than ours, and new enough."""
    return pod_of(machine.environment("own"))


def told(done: Finished) -> list[dict[str, Any]]:
    assert (done.status, done.err) == (0, "")
    spans: list[dict[str, Any]] = json.loads(done.out)
    return spans


@pytest.mark.parametrize("application", [BEFORE, AFTER], ids=["provider before import", "provider after import"])
def test_the_application_keeps_its_traces(own: Pod, application: str) -> None:
    application = application.replace("SAMPLER", "ALWAYS_ON")
    without = told(own.run(application, LLMOBS_ENDPOINT=""))
    spans = told(own.run(application))
    # Anthropic's client makes spans by itself, and keeps making them.
    assert [span["name"] for span in spans] == [span["name"] for span in without]
    assert shape(spans) == shape(without)
    assert {"http", "request", "anthropic.messages.create"} == {span["name"] for span in spans}
    (request,) = [span for span in spans if span["name"] == "request"]
    ours = sorted(own.spans(4), key=lambda span: span.start)
    assert len(ours) == 4
    assert [span.trace_id for span in ours[2:]] == [request["trace"]] * 2
    assert {span.parent_id for span in ours[2:]} == {f"{request['id']:016x}"}
    assert {span.resource["service.name"] for span in ours} == {"chat"}


def shape(spans: list[dict[str, Any]]) -> list[str | None]:
    """The name of each span's parent; an unknown one would be told by its number."""
    names = {span["id"]: span["name"] for span in spans}
    return [names.get(span["parent"], span["parent"]) for span in spans]


def test_sampling_of_the_application_loses_no_money(own: Pod) -> None:
    assert told(own.run(BEFORE.replace("SAMPLER", "ALWAYS_OFF"))) == []
    assert len(own.spans(4)) == 4


def test_the_random_numbers_of_the_application_stay(own: Pod) -> None:
    application = """
        import random, openai
        random.seed(7)
        openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
        print(random.random())
    """
    without = own.run(application, LLMOBS_ENDPOINT="")
    assert own.run(application).out == without.out
    assert len(own.spans(1)) == 1


@pytest.mark.parametrize("library", ["openai", "anthropic"])
def test_an_opentelemetry_that_is_too_old_is_left_alone(pod_of: Callable[[Path], Pod], library: str) -> None:
    old = pod_of(machine.environment("old"))
    application = f"""
        import sys, {library}
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name)))
        trace.set_tracer_provider(provider)
        with trace.get_tracer("application").start_as_current_span("own"):
            pass
        print("", [path for path in sys.path if path.endswith("bundle")])
    """
    done = old.run(application, LLMOBS_LOG="info")
    assert (done.status, done.out) == (0, "own []\n")
    assert done.err.startswith(f"llmobs: {library}: OldOpenTelemetry: the application has opentelemetry-api 1.20.0; needed is 1.43")
    assert done.err.count("\n") == 1
    assert old.run(application).err == ""


def test_baggage_says_whom_a_call_is_for(own: Pod) -> None:
    application = (
        OWN_PROVIDER.replace("SAMPLER", "ALWAYS_ON")
        + """
    set_provider()
    import openai
    from opentelemetry import context, propagate
    def call(headers):
        token = context.attach(propagate.extract(headers))
        try:
            with trace.get_tracer("application").start_as_current_span("request"):
                openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="x")
        finally:
            context.detach(token)
    call({"baggage": "user.id=alice,session.id=" + "s" * 300 + ",enduser.id=b%20c,card=4711"})
    call({"baggage": "card=4711"})
    call({})
    print([dict(span.attributes) for span in kept.get_finished_spans()])
    """
    )
    done = own.run(application)
    assert (done.status, done.out, done.err) == (0, "[{}, {}, {}]\n", "")
    said = [{key: span.attributes.get(key) for key in ("user.id", "session.id", "enduser.id", "card")} for span in own.spans(3)]
    nothing = dict.fromkeys(("user.id", "session.id", "enduser.id", "card"))
    assert said == [nothing | {"user.id": "alice", "session.id": "s" * 256, "enduser.id": "b c"}, nothing, nothing]
