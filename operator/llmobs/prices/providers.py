"""The providers of models: their names in gen_ai.provider.name, what else they are called, where their list prices stand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """One value of gen_ai.provider.name."""

    name: str
    also: tuple[str, ...] = ()
    """What instrumentations call it instead, in lower case."""
    listed: str = ""
    """Its identifier in the list of genai-prices; empty: no list prices."""
    owner: bool = False
    """Whether it made the models it lists, so that its price is everybody's unless another provider's differs."""


PROVIDERS = (
    Provider("openai", also=("openai.chat", "openai.completion", "openai.embedding", "openai.responses"), listed="openai", owner=True),
    Provider("anthropic", also=("anthropic.messages",), listed="anthropic", owner=True),
    Provider("gcp.gemini", also=("gemini", "google.generative-ai", "google_generativeai", "googleai"), listed="google", owner=True),
    Provider("mistral_ai", also=("mistral", "mistral.chat", "mistral.embedding", "mistralai"), listed="mistral", owner=True),
    Provider("cohere", also=("cohere.chat", "cohere.textembedding"), listed="cohere", owner=True),
    Provider("deepseek", also=("deepseek.chat",), listed="deepseek", owner=True),
    Provider("x_ai", also=("xai", "x-ai", "xai.chat"), listed="x-ai", owner=True),
    Provider("moonshot_ai", also=("moonshot", "moonshotai"), listed="moonshotai", owner=True),
    Provider("perplexity", also=("perplexityai",), listed="perplexity"),
    Provider("voyage_ai", also=("voyageai", "voyage"), listed="voyageai", owner=True),
    Provider("gcp.gen_ai", also=("google", "google_genai", "google-genai"), listed="google"),
    Provider("gcp.vertex_ai", also=("vertexai", "vertex_ai", "google_vertexai", "google.vertex.chat"), listed="google"),
    Provider("aws.bedrock", also=("aws", "bedrock", "aws_bedrock", "amazon_bedrock", "amazon-bedrock", "amazon"), listed="aws"),
    Provider(
        "azure.ai.openai",
        also=(
            "az.ai.openai",
            "azure",
            "azure_openai",
            "azure-openai",
            "azure.chat",
            "azure.responses",
            "azure-openai.chat",
            "azure-openai.responses",
        ),
        listed="azure",
    ),
    Provider("azure.ai.inference", also=("az.ai.inference", "azure_ai", "azure_ai_inference"), listed="azure"),
    Provider("groq", also=("groq.chat",), listed="groq"),
    Provider("together_ai", also=("together", "togetherai"), listed="together"),
    Provider("fireworks", also=("fireworks_ai", "fireworksai"), listed="fireworks"),
    Provider("ibm.watsonx.ai", also=("watsonx", "watsonx.ai", "ibm")),
)

SYNONYMS = {other: provider.name for provider in PROVIDERS for other in provider.also}


def canonical(name: str) -> str:
    """The value of gen_ai.provider.name that ``name`` stands for; an unknown name in lower case."""
    lower = name.lower()
    return SYNONYMS.get(lower, lower)
