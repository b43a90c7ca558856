"""Telemetry for applications that call an LLM, without a change to them. Nothing here is imported before it is needed."""

__version__ = "0.1.0"
