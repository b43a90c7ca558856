"""Calls that an application's instrumentation of a framework tells of beside those of the client's library."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runtime import machine
from tests.runtime.pod import Pod


@pytest.fixture
def own(pod_of: Callable[[Path], Pod]) -> Pod:
    return pod_of(machine.environment("own"))


def test_a_call_that_is_told_beside_it_too_is_one_step_of_a_run(own: Pod) -> None:
    """OpenInference for LangChain does not make its span the current one: nothing but the figures tells that both are one request."""
    code = """
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    trace.set_tracer_provider(TracerProvider())
    import openai
    beside = trace.get_tracer("openinference.instrumentation.langchain")
    def told(model):
        figures = {"llm.model_name": model, "llm.token_count.prompt": 1000, "llm.token_count.completion": 200}
        return beside.start_span("told", attributes={"openinference.span.kind": "LLM", **figures})
    with beside.start_as_current_span("run", attributes={"openinference.span.kind": "AGENT"}):
        for _ in range(2):
            around = told("gpt-4o")
            openai.OpenAI().chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "the-prompt"}])
            around.end()
        told("untold").end()
    """
    done = own.run(code)
    assert (done.status, done.err) == (0, "")
    [run] = [span.attributes for span in own.spans(6) if span.name == "run"]
    assert (run["llmobs.run.steps"], run["llmobs.run.models"]) == (3, ["openai/gpt-4o", "/untold"])
    assert (run["llmobs.run.input_tokens"], run["llmobs.run.output_tokens"]) == ([2000, 1000], [400, 200])
