"""How providers and their clients spell models, what each is called by, and what the price list has for it."""

SPELLINGS: list[tuple[str, str, str, str]] = [
    tuple(line.split())  # type: ignore[misc]
    for line in """
aws.bedrock anthropic.claude-haiku-4-5-20251001-v1:0:200k claude-haiku-4-5 aws:anthropic.claude-haiku-4-5-20251001-v1:0
aws.bedrock anthropic.claude-3-haiku-20240307-v1:0:48k claude-3-haiku aws:anthropic.claude-3-haiku-20240307-v1:0
aws.bedrock anthropic.claude-3-sonnet-20240229-v1:0:28k claude-3-sonnet aws:anthropic.claude-3-sonnet-20240229-v1:0
aws.bedrock amazon.nova-pro-v1:0:300k nova-pro aws:amazon.nova-pro-v1:0
aws.bedrock us.amazon.nova-micro-v1:0 nova-micro aws:amazon.nova-micro-v1:0
aws.bedrock nova-lite-v1:0 nova-lite aws:amazon.nova-lite-v1:0
aws.bedrock us.meta.llama3-3-70b-instruct-v1:0 llama3-3-70b-instruct aws:meta.llama3-3-70b-instruct-v1:0
aws.bedrock us.deepseek.r1-v1:0 deepseek-r1 aws:deepseek.r1-v1:0
aws.bedrock us.anthropic.claude-sonnet-4-5-20250929-v1:0 claude-sonnet-4-5 aws:us.anthropic.claude-sonnet-4-5-20250929-v1:0
aws.bedrock global.anthropic.claude-sonnet-4-5-20250929-v1:0 claude-sonnet-4-5 aws:global.anthropic.claude-sonnet-4-5-20250929-v1:0
gcp.vertex_ai claude-3-5-sonnet-v2@20241022 claude-3-5-sonnet google:claude-3-5-sonnet-v2@20241022
gcp.vertex_ai claude-haiku-4-5@20251001 claude-haiku-4-5 google:claude-haiku-4-5@20251001
gcp.vertex_ai gemini-2.5-pro-preview-05-06 gemini-2.5-pro google:gemini-2.5-pro-preview-05-06
gcp.gemini gemini-2.5-flash-lite-preview-06-17 gemini-2.5-flash-lite google:gemini-2.5-flash-lite-preview-06-17
gcp.vertex_ai meta/llama-3.3-70b-instruct-maas other -
gcp.vertex_ai text-embedding-005 other -
openrouter anthropic/claude-sonnet-4.5 claude-sonnet-4-5 openrouter:anthropic/claude-sonnet-4.5
openrouter anthropic/claude-3.7-sonnet:thinking claude-3-7-sonnet openrouter:anthropic/claude-3.7-sonnet:thinking
openrouter anthropic/claude-3.5-sonnet:beta claude-3-5-sonnet openrouter:anthropic/claude-3.5-sonnet:beta
openrouter openai/gpt-4o:online gpt-4o openrouter:openai/gpt-4o
openrouter openai/gpt-4o:floor gpt-4o openrouter:openai/gpt-4o
openrouter openai/gpt-4o:nitro other -
openrouter deepseek/deepseek-r1:free deepseek-r1 openrouter:deepseek/deepseek-r1:free
openrouter openai/gpt-4o:free other -
openai /data/gpt-4o other -
openai ./models/gpt-4o other -
openai c:/models/gpt-4o other -
openai file:///data/gpt-4o other -
azure.ai.openai gpt-35-turbo gpt-3.5-turbo azure:gpt-35-turbo
azure.ai.openai gpt-35-turbo-16k gpt-3.5-turbo-16k azure:gpt-35-turbo-16k
azure.ai.openai gpt-35-turbo-0125 gpt-3.5-turbo openai:gpt-3.5-turbo-0125
openai gpt-3.5-turbo gpt-3.5-turbo openai:gpt-3.5-turbo
anthropic claude-sonnet-4.5 claude-sonnet-4-5 anthropic:claude-sonnet-4-5
""".splitlines()
    if line
]
"""gen_ai.provider.name, gen_ai.request.model, the label, and ``provider:model`` of the price list; ``-``: no price."""
