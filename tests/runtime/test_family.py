"""The libraries together, on every Python: one priced span for each call of a model, whoever makes it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.clouds import FakeClouds
from tests.fakes.otlp import OTLPReceiver, Span
from tests.runtime import machine, matrix
from tests.runtime.pod import Finished, Pod

Ran = tuple[Finished, list[Span], FakeLLM, FakeClouds]

# Each call names a model of its own, by which the tests find its span.
APPLICATION = """
    import os, sys

    def loaded():
        return "opentelemetry.sdk.trace" in sys.modules

    import boto3
    boto3.client("s3", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    assert not loaded(), "storage alone woke us"
    bedrock = boto3.client(
        "bedrock-runtime", region_name="eu-central-1", endpoint_url=os.environ["CLOUDS"],
        aws_access_key_id="a", aws_secret_access_key="b",
        config=boto3.session.Config(retries={"total_max_attempts": 1}),
    )
    assert loaded()
    asked = [{"role": "user", "content": [{"text": "a question"}]}]
    bedrock.converse(modelId="converse", messages=asked)
    try:
        bedrock.converse(modelId="converse-refused", messages=asked)
    except bedrock.exceptions.ThrottlingException as error:
        print(type(error).__name__)

    from google import genai
    gemini = genai.Client(api_key="k", http_options={"base_url": os.environ["CLOUDS"]})
    gemini.models.generate_content(model="gemini", contents="a question")
    for _ in gemini.models.generate_content_stream(model="gemini-stream", contents="a question"):
        pass
    try:
        gemini.models.generate_content(model="gemini-refused", contents="a question")
    except genai.errors.ClientError as error:
        print(type(error).__name__)

    from langchain_openai import ChatOpenAI
    ChatOpenAI(model="langchain", max_retries=0).invoke("a question")
    list(ChatOpenAI(model="langchain-stream", max_retries=0, stream_usage=True).stream("a question"))

    from agents import Agent, Runner
    from agents.tracing.processors import default_exporter
    default_exporter().endpoint = os.environ["CLOUDS"] + "/traces"
    Runner.run_sync(Agent(name="helper", model="agents"), "a question")

    import anthropic, openai
    openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "a question"}])
    openai.OpenAI().embeddings.create(model="text-embedding-3-small", input="a question")
    anthropic.Anthropic().messages.create(model="claude-sonnet-4-6", max_tokens=9, messages=[{"role": "user", "content": "a question"}])
"""
# This instrumentation passes Bedrock's own count on: against the conventions, cached tokens stand beside the input.
BEDROCK = {
    "gen_ai.usage.input_tokens": 500,
    "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.usage.cache_write.input_tokens": 30,
    "gen_ai.usage.output_tokens": 20,
}
# Its provider is named "gemini", where the conventions have "gcp.gemini".
GEMINI = {
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.cache_read.input_tokens": 40,
    "gen_ai.usage.output_tokens": 35,
    "gen_ai.usage.reasoning.output_tokens": 15,
}
OPENAI = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
GPT = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.cache_read.input_tokens": 400, "gen_ai.usage.output_tokens": 200}
CLAUDE = {
    "gen_ai.usage.input_tokens": 1300,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "gen_ai.usage.cache_write.input_tokens": 200,
    "gen_ai.usage.output_tokens": 100,
}
CALLS = {
    "converse": ("aws.bedrock", BEDROCK),
    "converse-refused": ("aws.bedrock", {}),
    "gemini": ("gemini", GEMINI),
    "gemini-stream": ("gemini", GEMINI),
    "gemini-refused": ("gemini", {}),
    "langchain": ("openai", OPENAI),
    "langchain-stream": ("openai", OPENAI),
    "agents": ("openai", OPENAI),
    "gpt-4o": ("openai", GPT),
    "claude-sonnet-4-6": ("anthropic", CLAUDE),
}
LIBRARIES = {
    "openai": ("gpt-4o", "text-embedding-3-small"),
    "anthropic": ("claude-sonnet-4-6",),
    "google-genai": ("gemini", "gemini-stream", "gemini-refused"),
    "boto3 (Bedrock)": ("converse", "converse-refused"),
    "langchain": ("langchain", "langchain-stream"),
    "openai-agents": ("agents", "helper"),
}
"""As the matrix has them -> the names of their models and agents."""


@pytest.fixture(scope="module", params=machine.SUPPORTED)
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def ran(bundle: Path, version: str) -> Iterator[Ran]:
    python = machine.environment("family", machine.interpreter_or_skip(version))
    with OTLPReceiver() as gateway, FakeLLM() as llm, FakeClouds() as clouds:
        pod = Pod(python, bundle, gateway, llm)
        done = pod.run(APPLICATION, CLOUDS=clouds.url)
        yield done, gateway.spans, llm, clouds


def calls(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.attributes.get("gen_ai.operation.name") in {"chat", "generate_content"}]


def test_the_application_notices_nothing(ran: Ran) -> None:
    done, _, llm, clouds = ran
    assert done.status == 0, done.err
    assert done.out.split() == ["ThrottlingException", "ClientError"]
    sent = [call.headers for call in llm.calls] + clouds.headers
    assert [headers for headers in sent if "traceparent" in headers] == []


def test_one_priced_span_for_each_call(ran: Ran) -> None:
    _, spans, llm, clouds = ran
    assert sorted(span.attributes["gen_ai.request.model"] for span in calls(spans)) == sorted(CALLS)
    embeddings = [span for span in spans if span.attributes.get("gen_ai.operation.name") == "embeddings"]
    assert len(llm.calls) + len(clouds.calls) == len(CALLS) + len(embeddings) == len(CALLS) + 1


@pytest.mark.parametrize("model", CALLS)
def test_provider_and_tokens(ran: Ran, model: str) -> None:
    (span,) = [span for span in calls(ran[1]) if span.attributes["gen_ai.request.model"] == model]
    provider, tokens = CALLS[model]
    usage = {key: value for key, value in span.attributes.items() if key.startswith("gen_ai.usage.") and value}
    assert (span.attributes["gen_ai.provider.name"], usage) == (provider, tokens)
    assert ("error.type" in span.attributes) == model.endswith("-refused")


def test_an_agent_run_stands_around_its_calls(ran: Ran) -> None:
    spans = {span.span_id: span for span in ran[1]}
    (call,) = [span for span in calls(ran[1]) if span.attributes["gen_ai.request.model"] == "agents"]
    agent = spans[call.parent_id]
    assert agent.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert spans[agent.parent_id].attributes["gen_ai.operation.name"] == "invoke_workflow"


def test_the_matrix_says_what_was_received(ran: Ran, version: str) -> None:
    matrix.compare(version, matrix.received(ran[1], LIBRARIES))
