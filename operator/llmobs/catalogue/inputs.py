"""What our runtime, or an application by hand, writes on spans for the gateway: the only names of ours that a client may send."""

from __future__ import annotations

CHECK = "llmobs.validation.check"
"""Name of a check of an answer, such as json or language."""
CHECKED = "llmobs.validation.outcome"
"""passed or failed; anything else counts as failed."""
FEEDBACK = "llmobs.feedback.kind"
"""What a user said of an answer, such as up, down or copied."""
RESULTS = "llmobs.retrieval.results"
"""How many documents a retrieval found."""
