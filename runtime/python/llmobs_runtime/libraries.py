"""The LLM libraries that are observed: the module whose import wakes the runtime, and what instruments it."""

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
}

VECTOR_STORES = {
    "chromadb": "opentelemetry.instrumentation.chromadb:ChromaInstrumentor",
    "pinecone": "opentelemetry.instrumentation.pinecone:PineconeInstrumentor",
    "pymilvus": "opentelemetry.instrumentation.milvus:MilvusInstrumentor",
    "qdrant_client": "opentelemetry.instrumentation.qdrant:QdrantInstrumentor",
}
"""Observed only where the pod asks for it."""

VECTOR_STORES_WANTED = "LLMOBS_VECTOR_STORES"

NAMES = {
    "google.genai": "google-genai",
    "botocore.client": "bedrock",
    "langchain_core": "langchain",
    "llama_index.core": "llama_index",
    "agents.tracing": "openai_agents",
    "pymilvus": "milvus",
    "qdrant_client": "qdrant",
}
"""What OpenTelemetry's variable OTEL_PYTHON_DISABLED_INSTRUMENTATIONS calls a library, where that is not its module."""

INSTRUMENTOR_BASE = "opentelemetry.instrumentation.instrumentor"
"""Where the class is that every instrumentation of the application derives from."""

FRAMEWORKS = ("llmobs_sdk", "pydantic_ai", "google.adk", "strands", "agent_framework", "crewai", "haystack", "smolagents", "mistralai")
"""Modules that make spans of LLMs by themselves; nothing is to be instrumented, only heard."""

WAKERS = (INSTRUMENTOR_BASE, *FRAMEWORKS)
"""Further modules whose import is watched."""
