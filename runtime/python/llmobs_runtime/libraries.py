"""The LLM libraries that are observed: the module whose import wakes the runtime, and what instruments it."""

# Imported at the start of every process: plain data only. The names are those by which OpenTelemetry's own variable
# OTEL_PYTHON_DISABLED_INSTRUMENTATIONS knows the instrumentations.
INSTRUMENTORS = {
    "openai": "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
    "anthropic": "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor",
}
