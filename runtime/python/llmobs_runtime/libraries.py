"""The libraries that are observed: the module whose import wakes the runtime, and what instruments it."""

# Imported at the start of every process: plain data only.
INSTRUMENTORS = {
    "openai": "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    "anthropic": "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
    "google.genai": "opentelemetry.instrumentation.google_genai.instrumentor:GoogleGenAiSdkInstrumentor",
    "botocore.client": "opentelemetry.instrumentation.genai.bedrock:BedrockInstrumentor",
    "langchain_core": "opentelemetry.instrumentation.genai.langchain:LangChainInstrumentor",
    "llama_index.core": "opentelemetry.instrumentation.genai.llama_index:LlamaIndexInstrumentor",
    # Not "agents": applications have packages of their own with that name.
    "agents.tracing": "opentelemetry.instrumentation.genai.openai_agents:OpenAIAgentsInstrumentor",
    "agno": "opentelemetry.instrumentation.genai.agno:AgnoInstrumentor",
    "dspy": "opentelemetry.instrumentation.genai.dspy:DSPyInstrumentor",
    "portkey_ai": "opentelemetry.instrumentation.genai.portkey:PortkeyInstrumentor",
    "qwen_agent": "opentelemetry.instrumentation.genai.qwen_agent:QwenAgentInstrumentor",
    "smolagents": "opentelemetry.instrumentation.genai.smolagents:SmolagentsInstrumentor",
}

VECTOR_STORES = {
    "chromadb.api.models.Collection": "chromadb",
    "chromadb.api.models.AsyncCollection": "chromadb",
    # These have moved between major versions; clients that an application does not use are not imported for it.
    "pinecone.data.index": "pinecone",
    "pinecone.data.index_asyncio": "pinecone",
    "pinecone.db_data.index": "pinecone",
    "pinecone.db_data.index_asyncio": "pinecone",
    "pinecone.index": "pinecone",
    "pinecone.async_client.async_index": "pinecone",
    "pinecone.client.documents": "pinecone",
    "pinecone.async_client.documents": "pinecone",
    "pinecone.grpc.index_grpc": "pinecone",
    "pinecone.grpc": "pinecone",
    "pymilvus.milvus_client.milvus_client": "pymilvus",
    "pymilvus.milvus_client.async_milvus_client": "pymilvus",
    "qdrant_client.qdrant_client": "qdrant_client",
    "qdrant_client.async_qdrant_client": "qdrant_client",
    "weaviate.collections.query": "weaviate",
}
"""Module whose classes search -> the client's library. Observed only where the pod asks for it."""

VECTOR_STORES_WANTED = "LLMOBS_VECTOR_STORES"

NAMES = {
    "google.genai": "google-genai",
    "botocore.client": "bedrock",
    "langchain_core": "langchain",
    "llama_index.core": "llama_index",
    "agents.tracing": "openai_agents",
    "portkey_ai": "portkey",
    "qwen_agent": "qwen-agent",
    "pymilvus": "milvus",
    "qdrant_client": "qdrant",
}
"""What OpenTelemetry's variable OTEL_PYTHON_DISABLED_INSTRUMENTATIONS calls a library, where that is not its module."""

INSTRUMENTOR_BASE = "opentelemetry.instrumentation.instrumentor"
"""Where the class is that every instrumentation of the application derives from."""

FRAMEWORKS = ("llmobs_sdk", "pydantic_ai", "google.adk", "strands", "agent_framework", "crewai", "haystack", "mistralai")
"""Modules that make spans of LLMs by themselves; nothing is to be instrumented, only heard."""

WAKERS = (INSTRUMENTOR_BASE, *FRAMEWORKS)
"""Further modules whose import is watched."""
