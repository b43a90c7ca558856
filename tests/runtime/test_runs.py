"""A run of an agent carries its own summary: counted by the real libraries' spans, of any length."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from llmobs.catalogue import runs

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.clouds import FakeClouds
from tests.fakes.otlp import OTLPReceiver, Span
from tests.runtime import machine
from tests.runtime.pod import Pod

AGENTS = """
    import asyncio, os
    from agents import Agent, ModelSettings, Runner, function_tool
    from agents.tracing.processors import default_exporter
    default_exporter().endpoint = os.environ["CLOUDS"] + "/traces"

    @function_tool
    def search() -> str:
        return "found"
    @function_tool
    def news() -> str:
        return "new"
    def agent(name, steps, tools=(), model="gpt-4o"):
        settings = ModelSettings(extra_headers={"X-Fake-Tools": steps, "X-Fake-Usage": "uncached=60,cache_read=40,output=20,reasoning=15"})
        return Agent(name=name, model=model, tools=[search, news, *tools], model_settings=settings)
    Runner.run_sync(agent("loops", "search,search,search,news,search"), "a question")
    Runner.run_sync(agent("answers", ""), "a question")
    @function_tool
    async def ask() -> str:
        return (await Runner.run(agent("helper", "news", model="gpt-4o-mini"), "a question")).final_output
    Runner.run_sync(agent("nests", "ask,search", [ask]), "a question")

    begun, all_begun = [], asyncio.Event()
    @function_tool
    async def meet() -> str:
        begun.append(1)
        if len(begun) == 4:
            all_begun.set()
        await all_begun.wait()
        return "met"
    Runner.run_sync(agent("fans", "meet+meet+meet+meet", [meet]), "a question")
"""
LANGCHAIN = """
    import asyncio
    from langchain.agents import create_agent
    from langchain_core.tools import tool
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    @tool
    def search() -> str:
        "Search."
        return "found"
    @tool
    def embed() -> str:
        "Embed."
        OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False).embed_query("x")
        return "embedded"
    def agent(steps):
        model = ChatOpenAI(model="gpt-4o", default_headers={"X-Fake-Tools": steps})
        return create_agent(model, [search, embed], name="chain")
    ask = {"messages": [{"role": "user", "content": "a question"}]}
    agent("search,search,embed").invoke(ask)
    asyncio.run(agent(",".join(["search"] * 12)).ainvoke(ask, {"recursion_limit": 100}))
"""


def spans_of(bundle: Path, application: str) -> list[Span]:
    with OTLPReceiver() as gateway, FakeLLM() as llm, FakeClouds() as clouds:
        pod = Pod(machine.environment("family"), bundle, gateway, llm)
        done = pod.run(application, CLOUDS=clouds.url)
        assert done.status == 0, done.err
        return gateway.spans


@pytest.fixture(scope="module")
def agents(bundle: Path) -> list[Span]:
    return spans_of(bundle, AGENTS)


@pytest.fixture(scope="module")
def langchain(bundle: Path) -> list[Span]:
    return spans_of(bundle, LANGCHAIN)


def summaries(spans: list[Span]) -> list[tuple[str, dict[str, Any]]]:
    """The agents' names and summaries, in the order of the runs."""
    ordered = sorted(spans, key=lambda span: span.start)
    found = [(span, {key.removeprefix("llmobs.run."): value for key, value in span.attributes.items()}) for span in ordered]
    return [
        (span.attributes["gen_ai.agent.name"], {key: value for key, value in named.items() if key not in span.attributes})
        for span, named in found
        if runs.STEPS in span.attributes
    ]


def summary(steps: int, tool_calls: int, loop: tuple[str, int], models: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    tokens = {name.removeprefix(runs.PREFIX): [model[at] for model in models.values()] for at, name in enumerate(runs.TOKENS)}
    named = {"loop.tool": loop[0]} if loop[0] else {}
    return {"steps": steps, "tool_calls": tool_calls, "loop.count": loop[1], "models": list(models), **tokens, **named}


def several(count: int, once: tuple[int, ...] = (100, 40, 0, 20, 15)) -> tuple[int, ...]:
    return tuple(count * figure for figure in once)


def test_agents(agents: list[Span]) -> None:
    assert summaries(agents) == [
        ("loops", summary(6, 5, ("search", 3), {"openai/gpt-4o": several(6)})),
        ("answers", summary(1, 0, ("", 0), {"openai/gpt-4o": several(1)})),
        # What an agent below it does counts; so does its model.
        ("nests", summary(5, 3, ("news", 1), {"openai/gpt-4o": several(3), "openai/gpt-4o-mini": several(2)})),
        # Three at once are no loop.
        ("fans", summary(2, 4, ("meet", 1), {"openai/gpt-4o": several(2)})),
    ]


def test_langchain(langchain: list[Span]) -> None:
    chat, embedding = (1000, 400, 0, 200, 0), (800, 0, 0, 0, 0)
    models = {"openai/gpt-4o": several(4, chat), "openai/text-embedding-3-small": embedding}
    assert summaries(langchain) == [
        ("chain", summary(4, 3, ("search", 2), models)),
        ("chain", summary(13, 12, ("search", 12), {"openai/gpt-4o": several(13, chat)})),
    ]


def test_the_names_are_those_of_the_catalogue() -> None:
    source = (machine.RUNTIME / "llmobs_runtime" / "runs.py").read_text()
    stated = {value for key, value in vars(runs).items() if key.isupper() and isinstance(value, str) and key != "PREFIX"}
    assert set(re.findall(r"llmobs\.run\.[a-z_.]+", source)) == stated
