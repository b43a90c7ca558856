"""Bodies of OpenAI's chat completions, responses and embeddings, whole and streamed."""

from collections.abc import Iterator, Sequence
from typing import Any

from .tools import numbers
from .usage import Usage

Json = dict[str, Any]

CREATED = 1_760_000_000
DIMENSIONS = 4


def error(status: int) -> Json:
    """Return the body of a refused call."""
    kind = "rate_limit_exceeded" if status == 429 else "server_error"
    return {"error": {"message": "refused as requested", "type": kind, "param": None, "code": kind}}


def chat(request: Json, usage: Usage, reply: str, tools: Sequence[str] = ()) -> Json:
    """Return the body of a chat completion, which calls these tools or replies."""
    functions = [{"name": name, "arguments": "{}"} for name in tools]
    calls = [{"id": f"call_{next(numbers)}", "type": "function", "function": function} for function in functions]
    said = {"content": None, "tool_calls": calls} if calls else {"content": reply}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "refusal": None, **said},
        "logprobs": None,
        "finish_reason": "tool_calls" if calls else "stop",
    }
    return _chat("chat.completion", request) | {"choices": [choice], "usage": _chat_usage(usage)}


def chat_events(request: Json, usage: Usage, reply: str) -> Iterator[Json]:
    """Yield the chunks of a streamed chat completion; the usage only where the request asked for it."""
    chunk = _chat("chat.completion.chunk", request)
    for text in reply.split(" "):
        yield chunk | {"choices": [{"index": 0, "delta": {"content": text + " "}, "finish_reason": None}]}
    yield chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    if (request.get("stream_options") or {}).get("include_usage"):
        yield chunk | {"choices": [], "usage": _chat_usage(usage)}


def _chat(kind: str, request: Json) -> Json:
    answered = {"id": "chatcmpl-1", "object": kind, "created": CREATED, "model": request["model"], "system_fingerprint": "fp_1"}
    return answered | _tier(request)


def _tier(request: Json) -> Json:
    return {"service_tier": request["service_tier"]} if "service_tier" in request else {}


def _chat_usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0},
    }


def embeddings(request: Json, usage: Usage) -> Json:
    """Return one vector for each input."""
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    data = [{"object": "embedding", "index": index, "embedding": [0.5] * DIMENSIONS} for index, _ in enumerate(inputs)]
    tokens = {"prompt_tokens": usage.input, "total_tokens": usage.input}
    return {"object": "list", "data": data, "model": request["model"], "usage": tokens}


def response(request: Json, usage: Usage, reply: str, tools: Sequence[str] = ()) -> Json:
    """Return the body of the Responses API, which calls these tools or replies."""
    call = {"type": "function_call", "arguments": "{}", "status": "completed"}
    calls = [call | {"id": f"fc_{number}", "call_id": f"call_{number}", "name": name} for name, number in zip(tools, numbers, strict=False)]
    text = {"type": "output_text", "text": reply, "annotations": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [text]}
    return _response(request, "completed") | {"output": calls or [message], "usage": _response_usage(usage)}


def response_events(request: Json, usage: Usage, reply: str) -> Iterator[Json]:
    """Yield the events of a streamed response; each has its name under ``type``."""
    yield {"type": "response.created", "sequence_number": 0, "response": _response(request, "in_progress")}
    for number, text in enumerate(reply.split(" "), 1):
        position = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "sequence_number": number}
        yield {"type": "response.output_text.delta", "delta": text + " ", "logprobs": [], **position}
    yield {"type": "response.completed", "sequence_number": 999, "response": response(request, usage, reply)}


def _response(request: Json, status: str) -> Json:
    return _tier(request) | {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "model": request["model"],
        "status": status,
        "output": [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _response_usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {"cached_tokens": usage.cache_read, "cache_write_tokens": usage.cache_write},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": usage.input + usage.output,
    }
