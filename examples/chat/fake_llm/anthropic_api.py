"""Bodies of Anthropic's messages, whole and streamed."""

from collections.abc import Iterator
from typing import Any

from .usage import Usage

Json = dict[str, Any]


def error(status: int) -> Json:
    """Return the body of a refused call."""
    kind = "rate_limit_error" if status == 429 else "api_error"
    return {"type": "error", "error": {"type": kind, "message": "refused as requested"}}


def message(request: Json, usage: Usage, reply: str) -> Json:
    """Return the body of a message."""
    figures = _input_usage(usage) | {"output_tokens": usage.output}
    return _message(request, figures) | {"content": [{"type": "text", "text": reply}], "stop_reason": "end_turn"}


def message_events(request: Json, usage: Usage, reply: str) -> Iterator[Json]:
    """Yield the events of a streamed message; each has its name under ``type``."""
    yield {"type": "message_start", "message": _message(request, _input_usage(usage) | {"output_tokens": 1})}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for text in reply.split(" "):
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text + " "}}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": "end_turn", "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": usage.output}}
    yield {"type": "message_stop"}


def _message(request: Json, usage: Json) -> Json:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def _input_usage(usage: Usage) -> Json:
    # Unlike OpenAI's, this figure leaves the cached tokens out.
    return {
        "input_tokens": usage.uncached,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write - usage.cache_write_1h,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
    }
