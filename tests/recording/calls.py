"""The calls that are recorded: what the application asks of each client library, and what the provider's bill says of it."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from examples.chat.fake_llm.server import STATUS_HEADER
from examples.chat.fake_llm.tools import HEADER as TOOLS
from examples.chat.fake_llm.usage import HEADER

QUESTION = "the-marker-of-a-question"
GPT, CLAUDE, EMBEDDING = "gpt-5-mini", "claude-sonnet-4-5", "text-embedding-3-small"
GEMINI, NOVA = "gemini-2.5-flash", "amazon.nova-lite-v1:0"


@dataclass(frozen=True)
class Bill:
    """What the provider counts: input with all cached tokens, output with the reasoning ones; empty for a refused call."""

    listed: str
    """The provider's identifier in genai-prices."""
    model: str
    tokens: dict[str, int] = field(default_factory=dict)
    """Names as genai-prices has them."""
    tier: str = ""
    """The service tier that the provider says it used."""


@dataclass(frozen=True)
class Case:
    """One call of an application."""

    name: str
    bill: Bill
    call: Callable[[], object]


def tokens(given: int, made: int, read: int = 0, written: int = 0, reasoning: int = 0) -> dict[str, int]:
    """Totals and their parts, by the price library's names; parts of nothing are left out."""
    found = {
        "input_tokens": given,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "output_tokens": made,
        "output_reasoning_tokens": reasoning,
    }
    return {key: value for key, value in found.items() if value}


def _asked(**figures: int) -> dict[str, str]:
    return {HEADER: ",".join(f"{key}={value}" for key, value in figures.items())}


MESSAGES: list[Any] = [{"role": "system", "content": QUESTION}, {"role": "user", "content": QUESTION}]
REFUSED = {STATUS_HEADER: "429"}


def openai_cases() -> Iterator[Case]:
    """Chat completions, responses and embeddings of OpenAI's client."""
    import openai

    client = openai.OpenAI(base_url=f"{os.environ['LLM']}/v1", api_key="k", max_retries=0)
    used = _asked(uncached=600, cache_read=400, output=200, reasoning=150)
    bill = Bill("openai", GPT, tokens(1000, 200, read=400, reasoning=150))

    def chat(**more: Any) -> Any:
        return client.chat.completions.create(model=GPT, messages=MESSAGES, extra_headers=used, **more)

    def stream() -> None:
        for _ in chat(stream=True, stream_options={"include_usage": True}):
            pass

    def streamed_response() -> None:
        for _ in client.responses.create(model=GPT, input=QUESTION, extra_headers=used, stream=True):
            pass

    def refused() -> None:
        with contextlib.suppress(openai.RateLimitError):
            client.chat.completions.create(model=GPT, messages=MESSAGES, extra_headers=REFUSED)

    yield Case("openai-chat", bill, chat)
    yield Case("openai-stream", bill, stream)
    yield Case("openai-responses", bill, lambda: client.responses.create(model=GPT, input=QUESTION, extra_headers=used))
    yield Case("openai-responses-stream", bill, streamed_response)
    for tier in ("priority", "flex"):
        yield Case(f"openai-{tier}", replace(bill, tier=tier), partial(chat, service_tier=tier))
    embedded = _asked(uncached=800)
    yield Case(
        "openai-embeddings",
        Bill("openai", EMBEDDING, tokens(800, 0)),
        lambda: client.embeddings.create(model=EMBEDDING, input=QUESTION, extra_headers=embedded),
    )
    yield Case("openai-refused", Bill("openai", GPT), refused)


def anthropic_cases() -> Iterator[Case]:
    """Messages of Anthropic's client."""
    import anthropic

    client = anthropic.Anthropic(base_url=os.environ["LLM"], api_key="k", max_retries=0)
    used = _asked(uncached=500, cache_read=40, cache_write=30, output=60)
    asked: Any = {"model": CLAUDE, "max_tokens": 100, "messages": MESSAGES[1:], "system": QUESTION}
    bill = Bill("anthropic", CLAUDE, tokens(570, 60, read=40, written=30))

    def stream() -> None:
        for _ in client.messages.create(**asked, extra_headers=used, stream=True):
            pass

    def refused() -> None:
        with contextlib.suppress(anthropic.RateLimitError):
            client.messages.create(**asked, extra_headers=REFUSED)

    hour = _asked(uncached=500, cache_read=40, cache_write=30, cache_write_1h=20, output=60)
    hourly = Bill("anthropic", CLAUDE, {**tokens(570, 60, read=40, written=30), "cache_write_1h_tokens": 20})
    yield Case("anthropic-messages", bill, lambda: client.messages.create(**asked, extra_headers=used))
    yield Case("anthropic-stream", bill, stream)
    yield Case("anthropic-hour", hourly, lambda: client.messages.create(**asked, extra_headers=hour))
    yield Case("anthropic-refused", Bill("anthropic", CLAUDE), refused)


def gemini_cases() -> Iterator[Case]:
    """Gemini by Google's client."""
    from google import genai

    client = genai.Client(api_key="k", http_options={"base_url": os.environ["CLOUDS"]})
    bill = Bill("google", GEMINI, tokens(100, 35, read=40, reasoning=15))

    def stream() -> None:
        for _ in client.models.generate_content_stream(model=GEMINI, contents=QUESTION):
            pass

    yield Case("gemini", bill, lambda: client.models.generate_content(model=GEMINI, contents=QUESTION))
    yield Case("gemini-stream", bill, stream)


def bedrock_cases() -> Iterator[Case]:
    """Bedrock by the AWS client; its input stands beside the cached tokens."""
    import boto3

    client = boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=os.environ["CLOUDS"],
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=boto3.session.Config(retries={"total_max_attempts": 1}),
    )
    asked: Any = [{"role": "user", "content": [{"text": QUESTION}]}]
    bill = Bill("aws", NOVA, tokens(570, 20, read=40, written=30))
    yield Case("bedrock-converse", bill, lambda: client.converse(modelId=NOVA, messages=asked))


def langchain_cases() -> Iterator[Case]:
    """OpenAI's and Anthropic's models by LangChain."""
    from langchain_anthropic import ChatAnthropic
    from langchain_openai import ChatOpenAI

    used = _asked(uncached=600, cache_read=400, output=200, reasoning=150)
    gpt = ChatOpenAI(model=GPT, base_url=f"{os.environ['LLM']}/v1", api_key="k", max_retries=0, default_headers=used)  # type: ignore[arg-type]
    bill = Bill("openai", GPT, tokens(1000, 200, read=400, reasoning=150))
    yield Case("langchain-openai", bill, lambda: gpt.invoke(QUESTION))
    cached = _asked(uncached=500, cache_read=40, cache_write=30, output=60)
    claude = ChatAnthropic(
        model_name=CLAUDE, base_url=os.environ["LLM"], api_key="k", max_retries=0, default_headers=cached, timeout=60, stop=None
    )
    bill = Bill("anthropic", CLAUDE, tokens(570, 60, read=40, written=30))
    yield Case("langchain-anthropic", bill, lambda: claude.invoke(QUESTION))


def agents_cases() -> Iterator[Case]:
    """OpenAI's agents library: one call inside an agent's run."""
    import openai
    from agents import Agent, Runner, set_default_openai_client
    from agents.tracing.processors import default_exporter

    default_exporter().endpoint = os.environ["CLOUDS"] + "/traces"  # type: ignore[misc]
    used = _asked(uncached=600, cache_read=400, output=200, reasoning=150)
    client = openai.AsyncOpenAI(base_url=f"{os.environ['LLM']}/v1", api_key="k", max_retries=0, default_headers=used)
    set_default_openai_client(client, use_for_tracing=False)
    bill = Bill("openai", GPT, tokens(1000, 200, read=400, reasoning=150))
    yield Case("agents", bill, lambda: Runner.run_sync(Agent(name="helper", model=GPT, instructions=QUESTION), QUESTION))


def frameworks_cases() -> Iterator[Case]:
    """OpenAI's models by frameworks for agents, and by a gateway's client: one call each."""
    import dspy
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat
    from portkey_ai import Portkey
    from qwen_agent.agents import Assistant
    from smolagents import OpenAIModel, Tool, ToolCallingAgent

    url, used = f"{os.environ['LLM']}/v1", _asked(uncached=600, cache_read=400, output=200, reasoning=150)
    bill = Bill("openai", GPT, tokens(1000, 200, read=400, reasoning=150))
    agno = OpenAIChat(id=GPT, base_url=url, api_key="k", extra_headers=used)
    yield Case("agno", bill, lambda: Agent(name="helper", model=agno, telemetry=False).run(QUESTION))
    lm = dspy.LM(f"openai/{GPT}", api_base=url, api_key="k", cache=False, extra_headers=used, temperature=1.0, max_tokens=16000)
    yield Case("dspy", bill, lambda: lm(QUESTION))
    portkey = Portkey(api_key="k", base_url=url, provider="openai")
    asked: Any = MESSAGES[1:]
    yield Case("portkey", bill, lambda: portkey.chat.completions.create(model=GPT, messages=asked, extra_headers=used))
    counting = {"stream_options": {"include_usage": True}, "extra_headers": used}
    qwen = {"model": GPT, "model_server": url, "api_key": "k", "generate_cfg": counting}
    yield Case("qwen-agent", bill, lambda: list(Assistant(llm=qwen, name="helper").run(asked)))
    smol = OpenAIModel(model_id=GPT, api_base=url, api_key="k", client_kwargs={"default_headers": {**used, TOOLS: "final_answer"}})

    class Answer(Tool):  # type: ignore[misc]
        name, description, inputs, output_type = "final_answer", "The answer.", {}, "string"

        def forward(self) -> str:
            return QUESTION

    agent = ToolCallingAgent(tools=[Answer()], model=smol, name="helper", verbosity_level=0)
    yield Case("smolagents", bill, lambda: agent.run(QUESTION))
