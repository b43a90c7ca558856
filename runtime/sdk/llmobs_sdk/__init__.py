"""What only the application knows about its use of LLMs, said through OpenTelemetry's API; without an SDK nothing happens."""

from llmobs_sdk.observe import Kind, observe
from llmobs_sdk.report import Judged, feedback, score, validation
from llmobs_sdk.retrieve import Retrieval, retrieval

__version__ = "0.1.0"

__all__ = ["Judged", "Kind", "Retrieval", "feedback", "observe", "retrieval", "score", "validation"]
