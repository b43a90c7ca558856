"""A server that speaks as much of Gemini's and Bedrock's HTTP as their clients need; tokens are fixed, so tests can name them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import unquote, urlsplit

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
BEDROCK_USAGE = {"inputTokens": 500, "cacheReadInputTokens": 40, "cacheWriteInputTokens": 30, "outputTokens": 20, "totalTokens": 590}


class FakeClouds(ThreadingHTTPServer):
    """Listens on a free port of the loopback address; ``calls`` has the path of every call, ``headers`` their headers."""

    daemon_threads = True

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.headers: list[Json] = []
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """The base URL of both, without a path."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection; a model with ``refused`` in its name is answered 429."""

    server: FakeClouds

    def do_POST(self) -> None:
        """Answer one call."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = unquote(urlsplit(self.path).path)
        if path == "/traces":
            # Where the agents' library sends its own records.
            self._send(200, {})
            return
        self.server.calls.append(path)
        self.server.headers.append({key.lower(): value for key, value in self.headers.items()})
        if "refused" in path:
            self._send(429, {"error": {"code": 429, "message": "refused as requested", "status": "RESOURCE_EXHAUSTED"}})
        elif path.endswith(":generateContent"):
            self._send(200, _gemini(path))
        elif path.endswith(":streamGenerateContent"):
            self._send_bytes(200, "text/event-stream", f"data: {json.dumps(_gemini(path))}\n\n".encode())
        elif path.endswith("/converse"):
            self._send(200, _bedrock())
        else:
            self._send(404, {"message": "unknown path"})

    def _send(self, status: int, body: Json) -> None:
        self._send_bytes(status, "application/json", json.dumps(body).encode())

    def _send_bytes(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if status == 429:
            self.send_header("x-amzn-ErrorType", "ThrottlingException")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the interface's name
        """Stay silent."""


def _gemini(path: str) -> Json:
    answer = {"content": {"role": "model", "parts": [{"text": REPLY}]}, "finishReason": "STOP", "index": 0}
    model = path.rpartition("/")[2].partition(":")[0]
    return {"candidates": [answer], "usageMetadata": GEMINI_USAGE, "modelVersion": model, "responseId": "gemini-1"}


def _bedrock() -> Json:
    message = {"role": "assistant", "content": [{"text": REPLY}]}
    return {"output": {"message": message}, "stopReason": "end_turn", "usage": BEDROCK_USAGE, "metrics": {"latencyMs": 5}}
