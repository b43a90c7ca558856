"""The HTTP server in front of both fakes: routes, refusals on request, streams, and a record of what was asked."""

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from . import anthropic_api, openai_api, tools
from .usage import HEADER, Usage, usage

Json = dict[str, Any]

REPLY = "Forty-two, as computed by nobody at all."
STATUS_HEADER = "X-Fake-Status"
"""``429``: refuse this one call with that status."""
REMEMBERED = 1000


@dataclass(frozen=True)
class Call:
    """One call that arrived: its path, its headers with names in lower case, its body."""

    path: str
    headers: Mapping[str, str]
    body: Json


class FakeLLM(ThreadingHTTPServer):
    """Serves both APIs; ``calls`` holds the last ones, oldest first. Port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.calls: deque[Call] = deque(maxlen=REMEMBERED)
        super().__init__((host, port), Handler)

    @property
    def url(self) -> str:
        """The address without a path: Anthropic's base URL; OpenAI's is this and ``/v1``."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: FakeLLM
    protocol_version = "HTTP/1.1"
    # Otherwise the kernel holds back the second small write of every answer for 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer the health check."""
        self._send(200 if self.path == "/healthz" else 404, {})

    def do_POST(self) -> None:
        """Answer one call of an API."""
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        self.server.calls.append(Call(self.path, {key.lower(): value for key, value in self.headers.items()}, body))
        refused = int(self.headers.get(STATUS_HEADER, 0))
        api = anthropic_api if self.path == "/v1/messages" else openai_api
        try:
            figures = usage(str(body.get("model")), self.headers.get(HEADER))
        except (ValueError, TypeError) as error:
            self._send(400, {"error": {"message": str(error), "type": "invalid_request_error"}})
            return
        if refused:
            self._send(refused, api.error(refused))
        else:
            self._answer(body, figures)

    def _answer(self, body: Json, figures: Usage) -> None:
        match self.path, bool(body.get("stream")):
            case "/v1/chat/completions", False:
                self._send(200, openai_api.chat(body, figures, REPLY, tools.asked(body, self.headers.get(tools.HEADER))))
            case "/v1/chat/completions", True:
                self._stream(openai_api.chat_events(body, figures, REPLY), done=True)
            case "/v1/responses", False:
                self._send(200, openai_api.response(body, figures, REPLY, tools.asked(body, self.headers.get(tools.HEADER))))
            case "/v1/responses", True:
                self._stream(openai_api.response_events(body, figures, REPLY))
            case "/v1/embeddings", _:
                self._send(200, openai_api.embeddings(body, figures))
            case "/v1/messages", False:
                self._send(200, anthropic_api.message(body, figures, REPLY))
            case "/v1/messages", True:
                self._stream(anthropic_api.message_events(body, figures, REPLY))
            case _:
                self._send(404, openai_api.error(404))

    def _send(self, status: int, body: Json) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, events: Iterator[Json], *, done: bool = False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            name = f"event: {event['type']}\n" if "type" in event else ""
            self._chunk(f"{name}data: {json.dumps(event)}\n\n")
        if done:
            self._chunk("data: [DONE]\n\n")
        self._chunk("")

    def _chunk(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the interface's name
        """Stay silent: at some calls a second nobody reads it."""
