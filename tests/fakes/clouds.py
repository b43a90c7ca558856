"""A server that speaks as much of Gemini's and Bedrock's HTTP as their clients need; tokens are fixed, so tests can name them."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.fakes.loopback import Answering, Loopback

Json = dict[str, Any]

REPLY = "Forty-two."
# Gemini counts cached tokens as input and leaves thoughts out of the answer's; Bedrock leaves cached ones out of the input.
GEMINI_USAGE = {
    "promptTokenCount": 100,
    "cachedContentTokenCount": 40,
    "candidatesTokenCount": 20,
    "thoughtsTokenCount": 15,
    "totalTokenCount": 135,
}
INTERACTION_USAGE = {
    "total_input_tokens": 100,
    "total_cached_tokens": 40,
    "total_output_tokens": 20,
    "total_thought_tokens": 15,
    "total_tokens": 135,
}
BEDROCK_USAGE = {"inputTokens": 500, "cacheReadInputTokens": 40, "cacheWriteInputTokens": 30, "outputTokens": 20, "totalTokens": 590}


class FakeClouds(Loopback):
    """Both at one address; ``calls`` has the path of every call, ``headers`` their headers."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.headers: list[Json] = []
        super().__init__(Handler)


class Handler(Answering):
    """Answers one connection; a model with ``refused`` in its name is answered 429."""

    server: FakeClouds

    def do_POST(self) -> None:
        """Answer one call."""
        asked = json.loads(self.body() or b"{}")
        path = unquote(urlsplit(self.path).path)
        if path == "/traces":
            # Where the agents' library sends its own records.
            self._send(200, {})
            return
        self.server.calls.append(path)
        self.server.headers.append(self.named())
        if "refused" in path:
            self._send(429, {"error": {"code": 429, "message": "refused as requested", "status": "RESOURCE_EXHAUSTED"}})
        elif path.endswith(":generateContent"):
            self._send(200, _gemini(path))
        elif path.endswith(":streamGenerateContent"):
            self._send_bytes(200, "text/event-stream", f"data: {json.dumps(_gemini(path))}\n\n".encode())
        elif path.endswith(":batchEmbedContents"):
            self._send(200, {"embeddings": [{"values": [0.5, 0.25]}]})
        elif path.endswith("/interactions"):
            self._interact(asked)
        elif path.endswith("/converse"):
            self._send(200, _bedrock())
        else:
            self._send(404, {"message": "unknown path"})

    def _interact(self, asked: Json) -> None:
        answer = _interaction(asked["model"])
        if asked.get("stream"):
            events = [{"event_type": "interaction.completed", "interaction": answer}]
            self._send_bytes(200, "text/event-stream", "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode())
        else:
            self._send(200, answer)

    def _send(self, status: int, body: Json) -> None:
        self._send_bytes(status, "application/json", json.dumps(body).encode())

    def _send_bytes(self, status: int, kind: str, data: bytes) -> None:
        throttled = {"x-amzn-ErrorType": "ThrottlingException"} if status == 429 else {}
        self.answer(data, status=status, headers={"Content-Type": kind, **throttled})


def _gemini(path: str) -> Json:
    answer = {"content": {"role": "model", "parts": [{"text": REPLY}]}, "finishReason": "STOP", "index": 0}
    model = path.rpartition("/")[2].partition(":")[0]
    return {"candidates": [answer], "usageMetadata": GEMINI_USAGE, "modelVersion": model, "responseId": "gemini-1"}


def _interaction(model: str) -> Json:
    said = {"type": "model_output", "content": [{"type": "text", "text": REPLY}]}
    times = {"created": "2026-11-01T00:00:00Z", "updated": "2026-11-01T00:00:01Z"}
    return {"id": "interaction-1", "model": model, "status": "completed", "steps": [said], "usage": INTERACTION_USAGE, **times}


def _bedrock() -> Json:
    message = {"role": "assistant", "content": [{"text": REPLY}]}
    return {"output": {"message": message}, "stopReason": "end_turn", "usage": BEDROCK_USAGE, "metrics": {"latencyMs": 5}}
