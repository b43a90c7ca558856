"""A small chat application: asks three models in turn, and counts what it was told it used."""

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import openai
from anthropic.types import MessageParam, TextBlockParam
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionStreamOptionsParam

SYSTEM = "You are a patient assistant of a shop for garden tools."
QUESTION = "Which spade suits heavy clay?"
GPT_MESSAGES: list[ChatCompletionMessageParam] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
CLAUDE_SYSTEM: list[TextBlockParam] = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral"}}]
CLAUDE_MESSAGES: list[MessageParam] = [{"role": "user", "content": QUESTION}]


@dataclass
class Stats:
    """Calls and tokens since the start, as the APIs reported them; every token is in one kind only."""

    calls: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    tokens: dict[str, Counter[str]] = field(default_factory=dict)
    done: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, model: str, tokens: dict[str, int]) -> None:
        """Count one answered call."""
        with self.lock:
            self.calls[model] += 1
            self.tokens.setdefault(model, Counter()).update(tokens)

    def failed(self, model: str) -> None:
        """Count one call that was refused."""
        with self.lock:
            self.errors[model] += 1

    def view(self) -> dict[str, object]:
        """Return the figures as served on /stats."""
        with self.lock:
            tokens = {model: dict(kinds) for model, kinds in self.tokens.items()}
            return {"calls": dict(self.calls), "errors": dict(self.errors), "tokens": tokens, "done": self.done}


def ask_gpt(client: openai.OpenAI) -> dict[str, int]:
    """Ask the large model for a whole answer."""
    reply = client.chat.completions.create(model="gpt-4o", messages=GPT_MESSAGES)
    return _openai_tokens(reply.usage)


def stream_gpt_mini(client: openai.OpenAI) -> dict[str, int]:
    """Ask the small model for a streamed answer, with the usage at its end."""
    usage = None
    options: ChatCompletionStreamOptionsParam = {"include_usage": True}
    for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=GPT_MESSAGES, stream=True, stream_options=options):
        usage = chunk.usage or usage
    return _openai_tokens(usage)


def ask_claude(client: anthropic.Anthropic) -> dict[str, int]:
    """Ask with a cached system prompt."""
    reply = client.messages.create(model="claude-sonnet-4-6", max_tokens=200, system=CLAUDE_SYSTEM, messages=CLAUDE_MESSAGES)
    usage = reply.usage
    return {
        "input": usage.input_tokens,
        "cache_read": usage.cache_read_input_tokens or 0,
        "cache_write": usage.cache_creation_input_tokens or 0,
        "output": usage.output_tokens,
    }


def _openai_tokens(usage: CompletionUsage | None) -> dict[str, int]:
    if usage is None:
        return {}
    cached = (usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens) or 0
    return {"input": usage.prompt_tokens - cached, "cache_read": cached, "output": usage.completion_tokens}


def run(stats: Stats, stop: threading.Event, *, calls: int, pause: float) -> None:
    """Make this many calls (0: until stopped), the models in turn, with a pause in seconds before each."""
    gpt, claude = openai.OpenAI(), anthropic.Anthropic()
    asks: list[tuple[str, Callable[[], dict[str, int]]]] = [
        ("gpt-4o", lambda: ask_gpt(gpt)),
        ("gpt-4o-mini", lambda: stream_gpt_mini(gpt)),
        ("claude-sonnet-4-6", lambda: ask_claude(claude)),
    ]
    made = 0
    while not stop.wait(pause) and (calls == 0 or made < calls):
        model, ask = asks[made % len(asks)]
        try:
            stats.add(model, ask())
        except (openai.APIError, anthropic.APIError) as error:
            stats.failed(model)
            print(f"{model}: {error}", flush=True)
        made += 1
    stats.done = True


def serve(stats: Stats, port: int) -> None:
    """Serve /healthz and /stats in the background."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(stats.view() if self.path == "/stats" else {}).encode()
            self.send_response(200 if self.path in {"/stats", "/healthz"} else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the interface's name
            pass

    threading.Thread(target=ThreadingHTTPServer(("", port), Handler).serve_forever, daemon=True).start()


def main() -> None:
    """Read CALLS_PER_SECOND and CALLS, and chat until SIGTERM."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stats = Stats()
    serve(stats, int(os.environ.get("PORT", "8080")))
    run(stats, stop, calls=int(os.environ.get("CALLS", "0")), pause=1 / float(os.environ.get("CALLS_PER_SECOND", "3")))
    stop.wait()


if __name__ == "__main__":
    main()
