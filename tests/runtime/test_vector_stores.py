"""Vector stores: where it is asked for, a search is one retrieval without content; all else of the clients stays as it is."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.loopback import Answering, Loopback
from tests.fakes.otlp import Span
from tests.runtime import machine
from tests.runtime.pod import Pod

WANTED = {"LLMOBS_VECTOR_STORES": "true", "LLMOBS_LOG": "info"}
QDRANT = """
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("the-docs", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    point = models.PointStruct(id=1, vector=[1, 0], payload={"text": "the-answer"})
    client.upload_points("the-docs", points=(item for item in [point]))
    client.upsert("the-docs", points=[point])
    match = models.Filter(must=[models.FieldCondition(key="text", match=models.MatchValue(value="the-answer"))])
    found = client.query_points("the-docs", query=[0.4321, 0], query_filter=match)
    print(found.points[0].payload, client.count("the-docs").count)
"""
CHROMA = """
    import chromadb

    docs = chromadb.EphemeralClient().create_collection("the-docs")
    docs.add(ids=["the-id"], embeddings=[[1.0, 0.0]], documents=["the-answer"], metadatas=[{"by": "the-author"}])
    where = {"by": "the-author"}
    print(docs.query(query_embeddings=[[0.4321, 0.0]], n_results=1, where=where)["documents"])
"""
PINECONE = """
    import os
    from pinecone import Pinecone

    index = Pinecone(api_key="k").Index(host=os.environ["STORE"])
    print(index.query(vector=[0.4321, 0.0], top_k=1, include_metadata=True, filter={"by": "the-author"})["matches"][0]["id"])
"""
MILVUS = """
    import pymilvus, types

    class Connection:
        def search(self, *arguments, **named):
            return [[{"id": "the-id", "distance": 0.5, "entity": {"text": "the-answer"}}]]

    client = object.__new__(pymilvus.MilvusClient)
    client._config = types.SimpleNamespace(db_name="")
    client._get_connection = lambda: Connection()
    print(client.search(collection_name="the-docs", data=[[0.4321, 0.0]], limit=1, filter='by == "the-author"')[0][0]["id"])
"""
SECRETS = (b"the-answer", b"the-author", b"the-docs", b"the-id", b"0.4321")


class _Pinecone(Answering):
    """Answers every query with one match, as Pinecone's data plane does."""

    def do_POST(self) -> None:
        self.body()
        match = {"id": "the-id", "score": 0.5, "values": [], "metadata": {"text": "the-answer"}}
        body = json.dumps({"matches": [match], "namespace": "", "usage": {"readUnits": 1}}).encode()
        self.answer(body, headers={"Content-Type": "application/json"})


@pytest.fixture
def store() -> Iterator[str]:
    with Loopback(_Pinecone) as server:
        yield server.url


@pytest.fixture
def vectors(pod_of: Callable[[Path], Pod]) -> Pod:
    return pod_of(machine.environment("vectors"))


def retrieval(spans: list[Span], system: str, name: str) -> None:
    (span,) = spans
    assert (span.name, span.attributes["gen_ai.operation.name"], span.attributes["db.system"]) == (name, "retrieval", system)


CASES = {
    "qdrant_client": (QDRANT, "{'text': 'the-answer'} 1\n", "Qdrant", "qdrant.query_points"),
    "chromadb": (CHROMA, "[['the-answer']]\n", "chroma", "chroma.query"),
    "pinecone": (PINECONE, "the-id\n", "Pinecone", "pinecone.query"),
    "pymilvus": (MILVUS, "the-id\n", "milvus", "milvus.search"),
}


@pytest.mark.parametrize("content", ["None", "Full"])
@pytest.mark.parametrize("library", CASES)
def test_a_search_is_one_retrieval_without_content(vectors: Pod, store: str, library: str, content: str) -> None:
    code, out, system, name = CASES[library]
    done = vectors.run(code, **WANTED, STORE=store, LLMOBS_CONTENT=content)
    assert (done.status, done.out) == (0, out), done.err
    assert f"llmobs: {library}: Active\n" in done.err
    retrieval(vectors.spans(1), system, name)
    assert [secret for secret in SECRETS if secret in vectors.gateway.raw] == []


@pytest.mark.parametrize("wanted", ["", "false", "1"])
@pytest.mark.parametrize("library", CASES)
def test_nothing_unless_it_is_asked_for(vectors: Pod, store: str, library: str, wanted: str) -> None:
    code, out, *_ = CASES[library]
    done = vectors.run(code, LLMOBS_VECTOR_STORES=wanted, LLMOBS_LOG="info", STORE=store)
    assert (done.status, done.out) == (0, out), done.err
    assert "llmobs: " not in done.err
    assert vectors.gateway.spans == []


def test_a_search_within_a_retrieval_counts_as_one(vectors: Pod) -> None:
    code = """
        import chromadb
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider

        trace.set_tracer_provider(TracerProvider())
        tracer = trace.get_tracer("app")
        docs = chromadb.EphemeralClient().create_collection("the-docs")
        with tracer.start_as_current_span("rag", attributes={"gen_ai.operation.name": "retrieval"}):
            docs.query(query_embeddings=[[1.0, 0.0]])
        docs.query(query_embeddings=[[1.0, 0.0]])
    """
    done = vectors.run(code, **WANTED)
    assert done.status == 0, done.err
    assert sorted(span.name for span in vectors.spans(2)) == ["chroma.query", "rag"]


def test_a_search_that_fails_raises_as_without_us_and_says_no_word(vectors: Pod) -> None:
    code = """
        from qdrant_client import QdrantClient

        try:
            QdrantClient(":memory:").query_points("the-docs", query=[1, 0])
        except ValueError as error:
            print(error)
    """
    done = vectors.run(code, **WANTED)
    assert (done.status, done.out) == (0, "Collection the-docs not found\n"), done.err
    vectors.spans(1)
    assert [secret for secret in SECRETS if secret in vectors.gateway.raw] == []


def test_the_instrumentation_of_the_application_wins(vectors: Pod) -> None:
    """Ours makes way when theirs begins; that theirs makes a span of a write shows that it is whole."""
    code = """
        import chromadb
        from opentelemetry.instrumentation.chromadb import ChromaInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name + chr(10))))
        ChromaInstrumentor().instrument(tracer_provider=provider)
        docs = chromadb.EphemeralClient().create_collection("the-docs")
        docs.add(ids=["1"], embeddings=[[1.0, 0.0]])
        docs.query(query_embeddings=[[1.0, 0.0]])
    """
    done = vectors.run(code, **WANTED)
    assert (done.status, done.out) == (0, "chroma.add\nchroma.query\n"), done.err
    assert "llmobs: chromadb: ApplicationInstruments: it does so now\n" in done.err
    assert vectors.gateway.spans == []
