"""Vector stores: where it is asked for, a search is one retrieval without content; all else of the clients stays as it is."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.loopback import Answering, Loopback
from tests.runtime import machine
from tests.runtime.pod import Pod
from tests.runtime.searching import CASES, MILVUS_LATER

WANTED = {"LLMOBS_VECTOR_STORES": "true", "LLMOBS_LOG": "info"}
FILL = """
import chromadb, sys, time

deadline = time.monotonic() + 200
while True:
    try:
        client = chromadb.HttpClient(host="127.0.0.1", port=int(sys.argv[1]))
        break
    except Exception:
        if time.monotonic() > deadline:
            raise
        time.sleep(0.1)
docs = client.create_collection("the-docs")
by = [{"by": "the-author"}] * 2
docs.add(ids=["the-id", "2"], embeddings=[[1.0, 0.0]] * 2, documents=["the-answer"] * 2, metadatas=by)
"""
SECRETS = (b"the-answer", b"the-author", b"the-docs", b"the-id", b"0.4321")


class _Store(Answering):
    """Answers every query with the same documents, as the data planes of Pinecone and Chroma do."""

    def do_GET(self) -> None:
        self.tell({"version": "1.36.0"})

    def do_POST(self) -> None:
        self.body()
        self.tell({"matches": [{"id": "the-id", "score": 0.5, "values": [], "metadata": {"text": "the-answer"}}], "namespace": ""})

    def tell(self, answer: object) -> None:
        self.answer(json.dumps(answer).encode(), headers={"Content-Type": "application/json"})


@pytest.fixture
def store() -> Iterator[str]:
    with Loopback(_Store) as server:
        yield server.url


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of Chroma's with two documents."""
    python = machine.environment("vectors")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("chroma")
    command = [str(python.parent / "chroma"), "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(folder)]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as server:
        try:
            filled = subprocess.run([str(python), "-c", FILL, str(port)], capture_output=True, text=True, check=False)
            assert filled.returncode == 0, filled.stderr + (folder / "log").read_text()
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


@pytest.fixture
def vectors(pod_of: Callable[[Path], Pod]) -> Pod:
    return pod_of(machine.environment("vectors"))


@pytest.fixture
def newest(pod_of: Callable[[Path], Pod]) -> Pod:
    return pod_of(machine.environment("stores"))


@pytest.mark.parametrize("content", ["None", "Full"])
@pytest.mark.parametrize("name", CASES)
def test_a_search_is_one_retrieval_without_content(pod_of: Callable[[Path], Pod], chroma: str, store: str, name: str, content: str) -> None:
    case = CASES[name]
    pod = pod_of(machine.environment(case.environment))
    done = pod.run(case.code, **WANTED, STORE=chroma if "chroma" in name else store, LLMOBS_CONTENT=content)
    assert (done.status, done.out) == (0, "the-answer\n" * len(case.spans)), done.err
    assert f"llmobs: {case.module}: Active\n" in done.err
    spans = pod.spans(len(case.spans))
    assert tuple(sorted(span.name for span in spans)) == case.spans
    for span in spans:
        told = {key: value for key, value in span.attributes.items() if key != "db.operation"}
        assert told == {"gen_ai.operation.name": "retrieval", "db.system": case.system, "llmobs.retrieval.results": case.results}
        assert span.name.endswith(f".{span.attributes['db.operation']}")
    assert [secret for secret in SECRETS if secret in pod.gateway.raw] == []


@pytest.mark.parametrize("wanted", ["", "false", "1"])
def test_nothing_unless_it_is_asked_for(pod_of: Callable[[Path], Pod], store: str, wanted: str) -> None:
    for name in ("qdrant", "chroma", "pinecone-8", "milvus", "weaviate"):
        case = CASES[name]
        pod = pod_of(machine.environment(case.environment))
        done = pod.run(case.code, LLMOBS_VECTOR_STORES=wanted, LLMOBS_LOG="info", STORE=store)
        assert (done.status, done.out) == (0, "the-answer\n" * len(case.spans)), done.err
        assert "llmobs: " not in done.err
        assert pod.gateway.spans == []


def test_an_asynchronous_search_takes_until_it_is_answered(vectors: Pod) -> None:
    code = MILVUS_LATER.replace("await asyncio.sleep(0)", "await asyncio.sleep(0); import time; print(time.time_ns())")
    done = vectors.run(code, **WANTED)
    assert done.status == 0, done.err
    (span,) = vectors.spans(1)
    assert span.start <= int(done.out.splitlines()[0]) <= span.end


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
    (span,) = vectors.spans(1)
    assert (span.status["code"], span.attributes["error.type"]) == (2, "ValueError")
    assert "llmobs.retrieval.results" not in span.attributes
    assert [secret for secret in SECRETS if secret in vectors.gateway.raw] == []


def test_the_instrumentation_of_the_application_wins(newest: Pod) -> None:
    """Ours makes way when theirs begins; that theirs makes a span of a write shows that it is whole."""
    code = """
        from qdrant_client import QdrantClient, models
        from opentelemetry.instrumentation.qdrant import QdrantInstrumentor
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=lambda span: span.name + chr(10))))
        client = QdrantClient(":memory:")
        client.create_collection("the-docs", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        QdrantInstrumentor().instrument(tracer_provider=provider)
        client.upsert("the-docs", points=[models.PointStruct(id=1, vector=[1, 0])])
        client.query_points("the-docs", query=[1, 0])
    """
    done = newest.run(code, **WANTED)
    assert (done.status, done.out) == (0, "qdrant.upsert\nqdrant.query_points\n"), done.err
    assert "llmobs: qdrant_client.qdrant_client: ApplicationInstruments: it does so now\n" in done.err
    assert newest.gateway.spans == []
