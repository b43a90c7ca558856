"""A Kubernetes operator for fleet-wide LLM telemetry."""
