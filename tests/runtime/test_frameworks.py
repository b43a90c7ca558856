"""Frameworks for agents over the client of a model: one priced span for each call, the agent's around it, whoever tells of it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.otlp import OTLPReceiver, Span
from tests.runtime import machine, matrix
from tests.runtime.pod import Finished, Pod

Ran = tuple[Finished, list[Span], FakeLLM]

# Each framework asks models of its own, by which the tests find its spans.
APPLICATION = """
    import os
    asked = [{"role": "user", "content": "the-prompt"}]

    from agno.agent import Agent
    from agno.models.openai import OpenAIChat
    def look():
        "Look around."
    model = OpenAIChat(id="agno", extra_headers={"X-Fake-Tools": "look"})
    print(Agent(name="agno_agent", model=model, tools=[look], telemetry=False).run("the-prompt").content)

    import dspy
    for _ in range(2):
        print(*dspy.LM("openai/dspy")("the-prompt"))
    print(*dspy.LM("openai/gpt-4o", cache=False)("the-prompt"))
    claude = dspy.LM("anthropic/claude-sonnet-4-6", api_base=os.environ["ANTHROPIC_BASE_URL"], cache=False)
    print(*claude("the-prompt"))
    try:
        dspy.LM("openai/dspy-refused", num_retries=0, extra_headers={"X-Fake-Status": "429"})("the-prompt")
    except Exception as error:
        print(type(error).__name__)

    from portkey_ai import Portkey
    portkey = Portkey(api_key="k", base_url=os.environ["OPENAI_BASE_URL"], provider="openai")
    print(portkey.chat.completions.create(model="portkey", messages=asked).choices[0].message.content)
    for _ in portkey.chat.completions.create(model="portkey-stream", messages=asked, stream=True, stream_options={"include_usage": True}):
        pass

    from qwen_agent.agents import Assistant
    counting = {"stream_options": {"include_usage": True}}
    qwen = {"model": "qwen", "model_server": os.environ["OPENAI_BASE_URL"], "api_key": "k", "generate_cfg": counting}
    print([answers for answers in Assistant(llm=qwen, name="qwen_agent").run(asked)][-1][-1]["content"])

    from smolagents import OpenAIModel, Tool, ToolCallingAgent
    class Look(Tool):
        name, description, inputs, output_type = "look", "Look around.", {}, "string"
        def forward(self):
            return "nothing"
    model = OpenAIModel(model_id="smolagents", client_kwargs={"default_headers": {"X-Fake-Tools": "look"}})
    print(ToolCallingAgent(tools=[Look()], model=model, name="smolagents_agent", max_steps=1, verbosity_level=0).run("the-prompt"))
"""
OTHERS = {"gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 50}
GPT = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.cache_read.input_tokens": 400, "gen_ai.usage.output_tokens": 200}
# Against the conventions, the 200 written ones are not told: LiteLLM names them otherwise than the instrumentation reads.
CLAUDE = {"gen_ai.usage.input_tokens": 1300, "gen_ai.usage.cache_read.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
CALLS = {
    # model: who tells of its calls, how many were made, what each used
    "agno": ("openai", 2, OTHERS),
    "dspy": ("dspy", 1, OTHERS),
    "gpt-4o": ("dspy", 1, GPT),
    "claude-sonnet-4-6": ("dspy", 1, CLAUDE),
    "dspy-refused": ("dspy", 1, {}),
    "portkey": ("portkey", 1, OTHERS),
    "portkey-stream": ("portkey", 1, OTHERS),
    "qwen": ("openai", 1, OTHERS),
    "smolagents": ("openai", 2, OTHERS),
}
LIBRARIES = {
    "agno": ("agno", "agno_agent"),
    "dspy": ("dspy", "gpt-4o", "claude-sonnet-4-6", "dspy-refused"),
    "portkey-ai": ("portkey", "portkey-stream"),
    "qwen-agent": ("qwen", "qwen_agent"),
    "smolagents": ("smolagents", "smolagents_agent"),
}
"""As the matrix has them -> the names of their models and agents."""
ACTIVE = ("agno", "dspy", "openai", "portkey_ai", "qwen_agent", "smolagents")


@pytest.fixture(scope="module")
def ran(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with OTLPReceiver() as gateway, FakeLLM() as llm:
        pod = Pod(machine.environment("frameworks"), bundle, gateway, llm)
        home = str(tmp_path_factory.mktemp("home"))
        # Otherwise LiteLLM fetches its prices at the first import.
        done = pod.run(APPLICATION, HOME=home, DSPY_CACHEDIR=f"{home}/dspy", LITELLM_LOCAL_MODEL_COST_MAP="True", LLMOBS_LOG="info")
        yield done, gateway.spans, llm


def told(spans: list[Span], operation: str) -> list[Span]:
    return [span for span in spans if span.attributes.get("gen_ai.operation.name") == operation]


def test_the_application_notices_nothing(ran: Ran) -> None:
    done, _, llm = ran
    assert done.status == 0, done.err
    assert done.out.count("Forty-two") == 7
    assert "LMRateLimitError" in done.out
    assert "Reached max steps" in done.out
    assert [call.headers for call in llm.calls if "traceparent" in call.headers] == []


@pytest.mark.parametrize("library", ACTIVE)
def test_each_is_instrumented_once(ran: Ran, library: str) -> None:
    assert ran[0].err.count(f"llmobs: {library}: ") == ran[0].err.count(f"llmobs: {library}: Active\n") == 1


def test_one_span_for_each_call(ran: Ran) -> None:
    """What DSPy remembers is no call: it answered twice, and asked once."""
    _, spans, llm = ran
    asked = Counter(span.attributes["gen_ai.request.model"] for span in told(spans, "chat"))
    assert asked == {model: count for model, (_, count, _) in CALLS.items()} == Counter(str(call.body["model"]) for call in llm.calls)


@pytest.mark.parametrize("model", CALLS)
def test_who_tells_and_what(ran: Ran, model: str) -> None:
    scope, _, tokens = CALLS[model]
    for span in [span for span in told(ran[1], "chat") if span.attributes["gen_ai.request.model"] == model]:
        usage = {key: value for key, value in span.attributes.items() if key.startswith("gen_ai.usage.") and value}
        assert (span.scope, usage) == (f"opentelemetry.instrumentation.genai.{scope}", tokens)
        assert ("error.type" in span.attributes) == model.endswith("-refused")


@pytest.mark.parametrize(("name", "steps", "tools"), [("agno", 2, 1), ("qwen", 1, 0), ("smolagents", 2, 0)])
def test_a_run_stands_around_its_calls_and_sums_them_up(ran: Ran, name: str, steps: int, tools: int) -> None:
    """Of smolagents the official instrumentation tells no tools."""
    (run,) = [span for span in told(ran[1], "invoke_agent") if span.attributes["gen_ai.agent.name"] == f"{name}_agent"]
    below = [span for span in told(ran[1], "chat") if span.parent_id == run.span_id]
    assert len(below) == steps
    summary = {key: run.attributes[f"llmobs.run.{key}"] for key in ("steps", "tool_calls", "models", "input_tokens", "output_tokens")}
    asked = {"models": [f"openai/{name}"], "input_tokens": [100 * steps], "output_tokens": [50 * steps]}
    assert summary == {"steps": steps, "tool_calls": tools, **asked}


def test_no_content_unless_it_is_allowed(ran: Ran) -> None:
    spans = [str(span) for span in ran[1]]
    assert [text for text in spans if "the-prompt" in text or "Forty-two" in text] == []


def test_the_matrix_says_what_was_received(ran: Ran) -> None:
    matrix.compare(machine.BUILT_ON, matrix.received(ran[1], LIBRARIES))
