"""Applications that search vector stores, by the plain and by the asynchronous client of each."""

from dataclasses import dataclass

QDRANT = """
    from qdrant_client import QdrantClient, models

    client = QdrantClient(":memory:")
    client.create_collection("the-docs", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
    point = models.PointStruct(id=1, vector=[1, 0], payload={"text": "the-answer"})
    client.upload_points("the-docs", points=(item for item in [point]))
    client.upsert("the-docs", points=[point])
    match = models.Filter(must=[models.FieldCondition(key="text", match=models.MatchValue(value="the-answer"))])
    found = client.query_points("the-docs", query=[0.4321, 0], query_filter=match)
    print(found.points[0].payload["text"])
"""
QDRANT_LATER = """
    import asyncio
    from qdrant_client import AsyncQdrantClient, models

    async def main():
        client = AsyncQdrantClient(":memory:")
        await client.create_collection("the-docs", vectors_config=models.VectorParams(size=2, distance=models.Distance.DOT))
        points = [models.PointStruct(id=number, vector=[1, 0], payload={"text": "the-answer"}) for number in range(3)]
        await client.upsert("the-docs", points=points)
        asked = models.QueryRequest(query=[0.4321, 0], limit=2, with_payload=True)
        found = await client.query_batch_points("the-docs", requests=[asked, asked])
        print(found[1].points[0].payload["text"])
    asyncio.run(main())
"""
CHROMA = """
    import chromadb

    docs = chromadb.EphemeralClient().create_collection("the-docs")
    docs.add(ids=["the-id"], embeddings=[[1.0, 0.0]], documents=["the-answer"], metadatas=[{"by": "the-author"}])
    where = {"by": "the-author"}
    print(docs.query(query_embeddings=[[0.4321, 0.0]], n_results=1, where=where)["documents"][0][0])
"""
CHROMA_LATER = """
    import asyncio, os
    import chromadb
    from urllib.parse import urlsplit

    async def main():
        server = urlsplit(os.environ["STORE"])
        client = await chromadb.AsyncHttpClient(host=server.hostname, port=server.port)
        docs = await client.get_collection("the-docs")
        found = await docs.query(query_embeddings=[[0.4321, 0.0]], n_results=2, where={"by": "the-author"})
        print(found["documents"][0][0])
    asyncio.run(main())
"""
PINECONE = """
    import os
    from pinecone import Pinecone

    index = Pinecone(api_key="k").Index(host=os.environ["STORE"])
    print(index.query(vector=[0.4321, 0.0], top_k=1, include_metadata=True, filter={"by": "the-author"})["matches"][0]["metadata"]["text"])
"""
PINECONE_LATER = """
    import asyncio, os
    from pinecone import Pinecone

    async def main():
        async with Pinecone(api_key="k").IndexAsyncio(host=os.environ["STORE"]) as index:
            found = await index.query(vector=[0.4321, 0.0], top_k=1, include_metadata=True, filter={"by": "the-author"})
            print(found.matches[0].metadata["text"])
    asyncio.run(main())
"""
HITS = """[[{"id": "the-id", "distance": 0.5, "entity": {"text": "the-answer"}}] * 2] * 2"""
MILVUS = (
    """
    import pymilvus, types

    class Connection:
        def search(self, *arguments, **named):
            return """
    + HITS
    + """

    client = object.__new__(pymilvus.MilvusClient)
    client._config = types.SimpleNamespace(db_name="")
    client._get_connection = lambda: Connection()
    found = client.search(collection_name="the-docs", data=[[0.4321, 0.0]] * 2, limit=2, filter='by == "the-author"')
    print(found[1][0]["entity"]["text"])
"""
)
MILVUS_LATER = (
    """
    import asyncio, pymilvus, types

    class Connection:
        async def search(self, *arguments, **named):
            await asyncio.sleep(0)
            return """
    + HITS
    + """

    async def connection():
        return Connection()

    async def main():
        client = object.__new__(pymilvus.AsyncMilvusClient)
        client._config = types.SimpleNamespace(db_name="")
        client._get_connection = connection
        found = await client.search(collection_name="the-docs", data=[[0.4321, 0.0]] * 2, limit=2, filter='by == "the-author"')
        print(found[1][0]["entity"]["text"])
    asyncio.run(main())
"""
)
# Weaviate's client speaks gRPC for searches, so its server is played with the messages that the client brings.
WEAVIATE_SERVER = """
    import grpc, os, warnings
    from urllib.parse import urlsplit
    from concurrent import futures
    warnings.simplefilter("ignore")
    from weaviate.proto.v1 import properties_pb2 as values, search_get_pb2 as messages, weaviate_pb2_grpc as service

    class Answering(service.WeaviateServicer):
        def Search(self, request, context):
            fields = values.Properties(fields={"text": values.Value(text_value="the-answer")})
            told = messages.MetadataResult(id="00000000-0000-0000-0000-000000000001")
            found = messages.PropertiesResult(non_ref_props=fields, target_collection="The_docs")
            return messages.SearchReply(results=[messages.SearchResult(properties=found, metadata=told)] * 3)

    server = grpc.server(futures.ThreadPoolExecutor(2))
    service.add_WeaviateServicer_to_server(Answering(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    connection = dict(http_host="127.0.0.1", http_port=urlsplit(os.environ["STORE"]).port, http_secure=False)
    connection |= dict(grpc_host="127.0.0.1", grpc_port=port, grpc_secure=False, skip_init_checks=True)
"""
WEAVIATE = (
    WEAVIATE_SERVER
    + """
    import weaviate
    from weaviate.classes.query import Filter

    with weaviate.connect_to_custom(**connection) as client:
        docs = client.collections.use("the-docs")
        match = Filter.by_property("by").equal("the-author")
        for found in (
            docs.query.near_vector([0.4321, 0.0], filters=match),
            docs.query.near_text("the-answer"),
            docs.query.hybrid("the-answer", vector=[0.4321, 0.0]),
            docs.query.bm25("the-answer"),
        ):
            print(found.objects[0].properties["text"])
        docs.query.fetch_objects(limit=1)
    server.stop(None)
"""
)
WEAVIATE_LATER = (
    WEAVIATE_SERVER
    + """
    import asyncio, weaviate

    async def main():
        async with weaviate.use_async_with_custom(**connection) as client:
            found = await client.collections.use("the-docs").query.near_vector([0.4321, 0.0])
            print(found.objects[0].properties["text"])
    asyncio.run(main())
    server.stop(None)
"""
)


@dataclass(frozen=True)
class Case:
    """A search of an application: the module that wakes us, the store, the names of its spans, how many documents each found."""

    environment: str
    code: str
    module: str
    system: str
    spans: tuple[str, ...]
    results: int


CASES = {
    "qdrant": Case("vectors", QDRANT, "qdrant_client.qdrant_client", "Qdrant", ("qdrant.query_points",), 1),
    "qdrant-later": Case("vectors", QDRANT_LATER, "qdrant_client.async_qdrant_client", "Qdrant", ("qdrant.query_batch_points",), 4),
    "chroma": Case("vectors", CHROMA, "chromadb.api.models.Collection", "chroma", ("chroma.query",), 1),
    "chroma-later": Case("vectors", CHROMA_LATER, "chromadb.api.models.AsyncCollection", "chroma", ("chroma.query",), 2),
    "pinecone-8": Case("vectors", PINECONE, "pinecone.db_data.index", "Pinecone", ("pinecone.query",), 1),
    "pinecone-8-later": Case("vectors", PINECONE_LATER, "pinecone.db_data.index_asyncio", "Pinecone", ("pinecone.query",), 1),
    "pinecone-10": Case("stores", PINECONE, "pinecone.index", "Pinecone", ("pinecone.query",), 1),
    "pinecone-10-later": Case("stores", PINECONE_LATER, "pinecone.async_client.async_index", "Pinecone", ("pinecone.query",), 1),
    "milvus": Case("vectors", MILVUS, "pymilvus.milvus_client.milvus_client", "milvus", ("milvus.search",), 4),
    "milvus-later": Case("vectors", MILVUS_LATER, "pymilvus.milvus_client.async_milvus_client", "milvus", ("milvus.search",), 4),
    "weaviate": Case(
        "stores",
        WEAVIATE,
        "weaviate.collections.query",
        "weaviate",
        ("weaviate.bm25", "weaviate.hybrid", "weaviate.near_text", "weaviate.near_vector"),
        3,
    ),
    "weaviate-later": Case("stores", WEAVIATE_LATER, "weaviate.collections.query", "weaviate", ("weaviate.near_vector",), 3),
}
