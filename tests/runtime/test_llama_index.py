"""LlamaIndex: its retrievals are seen, and each call of a model once, by whichever instrumentation."""

from collections.abc import Callable
from pathlib import Path

from tests.runtime import machine
from tests.runtime.pod import Pod

APPLICATION = """
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.embeddings.openai import OpenAIEmbedding
    from llama_index.llms.openai import OpenAI

    index = VectorStoreIndex.from_documents([Document(text="the-prompt")], embed_model=OpenAIEmbedding(model="text-embedding-3-small"))
    print(index.as_query_engine(llm=OpenAI(model="gpt-4o", max_retries=0)).query("the-prompt?"))
"""


def test_a_question_to_an_index(pod_of: Callable[[Path], Pod]) -> None:
    pod = pod_of(machine.environment("llama"))
    pod.path = []
    done = pod.run(APPLICATION, LLMOBS_LOG="info", OPENAI_API_BASE=f"{pod.llm.url}/v1")
    assert done.status == 0, done.err
    assert "llmobs: llama_index.core: Active\n" in done.err
    spans = pod.spans(4)
    told = sorted(span.attributes["gen_ai.operation.name"] for span in spans)
    assert told == ["chat", "embeddings", "embeddings", "retrieval"]
    asked = [call for call in pod.llm.calls if call.path != "/v1/embeddings"]
    assert len(asked) == 1
    assert len(pod.llm.calls) == 3
    assert b"the-prompt" not in pod.gateway.raw
