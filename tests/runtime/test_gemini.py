"""Every way to ask a model with google-genai, 2 and 3 (which brings another HTTP client): one span for each call, the same of both."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.clouds import FakeClouds
from tests.fakes.otlp import OTLPReceiver, Span
from tests.runtime import machine
from tests.runtime.pod import Finished, Pod

Ran = tuple[Finished, list[Span], FakeClouds]

# Each call names a model of its own, by which the tests find its span.
APPLICATION = """
    import asyncio, os
    from google import genai
    gemini = genai.Client(api_key="k", http_options={"base_url": os.environ["CLOUDS"]})
    asked = "the-prompt"
    print(genai.__version__.partition(".")[0])
    print(gemini.models.generate_content(model="plain", contents=asked).text)
    print("".join(chunk.text for chunk in gemini.models.generate_content_stream(model="stream", contents=asked)))
    print(gemini.chats.create(model="chat").send_message(asked).text)
    gemini.models.embed_content(model="embed", contents=asked)
    print(gemini.interactions.create(model="interaction", input=asked).output_text)
    for event in gemini.interactions.create(model="interaction-stream", input=asked, stream=True):
        print(event.interaction.status)

    async def main():
        client = gemini.aio
        print((await client.models.generate_content(model="async", contents=asked)).text)
        async for chunk in await client.models.generate_content_stream(model="async-stream", contents=asked):
            print(chunk.text)
        print((await client.chats.create(model="async-chat").send_message(asked)).text)
        await client.models.embed_content(model="async-embed", contents=asked)
        print((await client.interactions.create(model="async-interaction", input=asked)).output_text)
        async for event in await client.interactions.create(model="async-interaction-stream", input=asked, stream=True):
            print(event.interaction.status)
        try:
            await client.models.generate_content(model="async-refused", contents=asked)
        except genai.errors.ClientError as error:
            print(type(error).__name__)

    asyncio.run(main())

    # OpenTelemetry comes with our files here; frameworks for agents that bring it make such spans.
    from opentelemetry import trace
    about = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
    with trace.get_tracer("google.adk").start_as_current_span("invoke_agent helper", attributes=about):
        gemini.interactions.create(model="run-interaction", input=asked)
        gemini.models.generate_content(model="run-plain", contents=asked)
"""
FIGURES = {
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.usage.output_tokens": 35,
    "gen_ai.usage.reasoning.output_tokens": 15,
}
# The thoughts stand beside the answer there.
INTERACTION = {**FIGURES, "gen_ai.usage.output_tokens": 20}
CALLS = {
    **dict.fromkeys(("plain", "stream", "chat", "async", "async-stream", "async-chat", "run-plain"), FIGURES),
    **dict.fromkeys(("interaction", "interaction-stream", "async-interaction", "async-interaction-stream", "run-interaction"), INTERACTION),
    "embed": {},
    "async-embed": {},
    "async-refused": {},
}
# Where 3 stands alone, there is no httpx; the other environment has it, and 2 for the Python that is too old for 3.
PLACES = {"3": ("gemini", "3.11"), "2": ("family", "3.10")}


@pytest.fixture(scope="module", params=PLACES)
def ran(bundle: Path, request: pytest.FixtureRequest) -> Iterator[Ran]:
    name, minor = PLACES[request.param]
    python = machine.environment(name, machine.interpreter_or_skip(minor))
    with OTLPReceiver() as gateway, FakeLLM() as llm, FakeClouds() as clouds:
        done = Pod(python, bundle, gateway, llm).run(APPLICATION, CLOUDS=clouds.url, LLMOBS_LOG="info")
        assert done.out.split()[:1] == [request.param], done.err
        yield done, gateway.spans, clouds


def test_the_application_notices_nothing(ran: Ran) -> None:
    done, _, clouds = ran
    assert done.status == 0, done.err
    assert (done.out.count("Forty-two"), done.out.count("completed"), done.out.count("ClientError")) == (8, 2, 1)
    assert [headers for headers in clouds.headers if "traceparent" in headers] == []


def test_it_is_instrumented(ran: Ran) -> None:
    assert ran[0].err.count("llmobs: google.genai: Active\n") == ran[0].err.count("llmobs: ") == 1


def test_one_span_for_each_call(ran: Ran) -> None:
    _, spans, clouds = ran
    assert Counter(span.attributes.get("gen_ai.request.model") for span in spans) == Counter([*CALLS, None])
    assert len(clouds.calls) == len(CALLS)


def test_a_run_counts_interactions_like_other_calls(ran: Ran) -> None:
    """Their thoughts are output there, as everywhere."""
    (run,) = [span for span in ran[1] if "gen_ai.request.model" not in span.attributes]
    summary = {key.removeprefix("llmobs.run."): value for key, value in run.attributes.items() if key.startswith("llmobs.run.")}
    assert (summary["steps"], summary["models"]) == (2, ["gemini/run-interaction", "gemini/run-plain"])
    assert (summary["output_tokens"], summary["reasoning_tokens"]) == ([35, 35], [15, 15])


@pytest.mark.parametrize("model", CALLS)
def test_what_is_told_of_it(ran: Ran, model: str) -> None:
    (span,) = [span for span in ran[1] if span.attributes.get("gen_ai.request.model") == model]
    usage = {key: value for key, value in span.attributes.items() if key.startswith("gen_ai.usage.") and value}
    assert (span.attributes["gen_ai.provider.name"], usage) == ("gemini", CALLS[model])
    assert ("error.type" in span.attributes) == model.endswith("-refused")
    assert "the-prompt" not in str(span.attributes)
