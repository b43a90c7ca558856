"""Every kind of call arrives as one span with its model and its tokens."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.otlp import OTLPReceiver, Span
from tests.runtime import machine
from tests.runtime.pod import Finished, Pod

# Each call names a model of its own, by which the tests find its span.
APPLICATION = """
    import asyncio, anthropic, openai

    gpt, agpt = openai.OpenAI(max_retries=0), openai.AsyncOpenAI(max_retries=0)
    claude, aclaude = anthropic.Anthropic(max_retries=0), anthropic.AsyncAnthropic(max_retries=0)
    ask = {"messages": [{"role": "user", "content": "a question"}]}
    say = {**ask, "max_tokens": 100}
    def use(**tokens):
        return {"X-Fake-Usage": ",".join(f"{kind}={count}" for kind, count in tokens.items())}
    def fail(status):
        return {"X-Fake-Status": str(status)}
    cached = use(uncached=60, cache_read=40, output=20)
    usage = {"include_usage": True}

    gpt.chat.completions.create(model="chat", extra_headers=cached, **ask)
    for _ in gpt.chat.completions.create(model="chat-stream", stream=True, stream_options=usage, extra_headers=cached, **ask):
        pass
    gpt.chat.completions.with_raw_response.create(model="chat-raw", extra_headers=cached, **ask)
    gpt.embeddings.create(model="embeddings", input=["one", "two"], extra_headers=use(uncached=8))
    reasoned = use(uncached=60, cache_read=40, output=20, reasoning=15)
    gpt.responses.create(model="responses", input="a question", extra_headers=reasoned)
    for _ in gpt.responses.create(model="responses-stream", input="a question", stream=True, extra_headers=reasoned):
        pass
    for status in (429, 500):
        try:
            gpt.chat.completions.create(model=f"chat-{status}", extra_headers=fail(status), **ask)
        except openai.APIStatusError as error:
            print(type(error).__name__)

    both = use(uncached=50, cache_read=40, cache_write=30, output=20)
    claude.messages.create(model="message", extra_headers=both, **say)
    for _ in claude.messages.create(model="message-stream", stream=True, extra_headers=both, **say):
        pass
    with claude.messages.stream(model="message-helper", extra_headers=both, **say) as stream:
        stream.get_final_message()
    try:
        claude.messages.create(model="message-429", extra_headers=fail(429), **say)
    except anthropic.RateLimitError as error:
        print(type(error).__name__)

    async def main():
        await agpt.chat.completions.create(model="async-chat", extra_headers=cached, **ask)
        async for _ in await agpt.chat.completions.create(
            model="async-stream", stream=True, stream_options=usage, extra_headers=cached, **ask
        ):
            pass
        await aclaude.messages.create(model="async-message", extra_headers=both, **say)
    asyncio.run(main())
"""
OPENAI = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.cache_read.input_tokens": 40, "gen_ai.usage.output_tokens": 20}
REASONED = OPENAI | {"gen_ai.usage.reasoning.output_tokens": 15}
# The conventions count cached tokens as input, Anthropic's API does not.
ANTHROPIC = {
    "gen_ai.usage.input_tokens": 120,
    "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.usage.cache_write.input_tokens": 30,
    "gen_ai.usage.output_tokens": 20,
}
ANSWERED = {
    "chat": OPENAI,
    "chat-stream": OPENAI,
    "chat-raw": OPENAI,
    "embeddings": {"gen_ai.usage.input_tokens": 8},
    "responses": REASONED,
    "responses-stream": REASONED,
    "async-chat": OPENAI,
    "async-stream": OPENAI,
    "message": ANTHROPIC,
    "message-stream": ANTHROPIC,
    "message-helper": ANTHROPIC,
    "async-message": ANTHROPIC,
}
REFUSED = {
    "chat-429": "openai.RateLimitError",
    "chat-500": "openai.InternalServerError",
    "message-429": "anthropic.RateLimitError",
}


@pytest.fixture(scope="module")
def ran(bundle: Path) -> Iterator[tuple[Finished, list[Span], FakeLLM]]:
    with OTLPReceiver() as gateway, FakeLLM() as llm:
        pod = Pod(machine.environment("plain"), bundle, gateway, llm)
        done = pod.run(APPLICATION)
        yield done, gateway.spans, llm


def test_the_application_notices_nothing(ran: tuple[Finished, list[Span], FakeLLM]) -> None:
    done, _, llm = ran
    assert done.status == 0, done.err
    assert done.out.split() == ["RateLimitError", "InternalServerError", "RateLimitError"]
    assert done.err == ""
    # Our trace context goes to nobody.
    assert [call.path for call in llm.calls if "traceparent" in call.headers] == []


def test_one_span_for_each_call(ran: tuple[Finished, list[Span], FakeLLM]) -> None:
    _, spans, llm = ran
    models = sorted(span.attributes["gen_ai.request.model"] for span in spans)
    assert models == sorted([*ANSWERED, *REFUSED]) == sorted(call.body["model"] for call in llm.calls)


@pytest.mark.parametrize("model", ANSWERED)
def test_tokens(ran: tuple[Finished, list[Span], FakeLLM], model: str) -> None:
    (span,) = [span for span in ran[1] if span.attributes["gen_ai.request.model"] == model]
    usage = {key: value for key, value in span.attributes.items() if key.startswith("gen_ai.usage.") and value}
    assert usage == ANSWERED[model]
    assert span.attributes["gen_ai.response.model"] == model
    assert span.attributes["gen_ai.provider.name"] == ("anthropic" if "message" in model else "openai")
    assert span.attributes["gen_ai.operation.name"] == ("embeddings" if model == "embeddings" else "chat")
    assert span.kind == 3
    assert 0 < span.end - span.start < 60e9


@pytest.mark.parametrize("model", REFUSED)
def test_errors(ran: tuple[Finished, list[Span], FakeLLM], model: str) -> None:
    (span,) = [span for span in ran[1] if span.attributes["gen_ai.request.model"] == model]
    assert span.attributes["error.type"] == REFUSED[model]
    # The provider's words may quote the prompt.
    assert span.status == {"code": 2}
    assert not [key for key in span.attributes if key.startswith("gen_ai.usage.")]


def test_identity(ran: tuple[Finished, list[Span], FakeLLM]) -> None:
    resource = ran[1][0].resource
    assert resource["service.name"] == "chat"
    assert resource["team"] == "payments,emea"
    assert resource["telemetry.sdk.language"] == "python"
    assert resource["service.instance.id"].startswith("team.chat-1.app.")
