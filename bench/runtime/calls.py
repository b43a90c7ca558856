"""What one call costs: a plain process, one with the official instrumentation alone and one with the runtime call by turns.

Each turn is a few milliseconds long, so whatever else the machine does meets all of them alike: the figure is the median of the
differences between a turn and the plain one just before it. Their calls need no network.
"""

import os
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

CALLS_A_TURN = 20

APPLICATION = """
import sys, time
{before}
import openai
{after}
http = __import__(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])
answer = {{"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "choices": [{{"index": 0, "finish_reason": "stop",
    "message": {{"role": "assistant", "content": "hello"}}}}], "usage": {{"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}}}}
transport = http.MockTransport(lambda request: http.Response(200, json=answer))
client = openai.OpenAI(api_key="k", http_client=openai.DefaultHttpxClient(transport=transport))
messages = [{{"role": "user", "content": "hello"}}]
def calls(count):
    for _ in range(count):
        client.chat.completions.create(model="gpt-4o", messages=messages)
def now():
    return time.thread_time(), time.process_time(), time.perf_counter()
"""
TURNS = """
calls(200)
spent = now()
for line in sys.stdin:
    begun = now()
    calls(int(line))
    ended = now()
    # What the background thread did since the last turn is this one's.
    print(ended[0] - begun[0], ended[1] - spent[1], ended[2] - begun[2], flush=True)
    spent = ended
"""
OFFICIAL = """
from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.trace import NoOpTracerProvider
OpenAIInstrumentor().instrument(
    tracer_provider=NoOpTracerProvider(), meter_provider=NoOpMeterProvider(), logger_provider=NoOpLoggerProvider())
"""
PLAIN = APPLICATION.format(before="", after="")
"""An application that defines ``calls(count)``."""


@dataclass(frozen=True)
class Price:
    """Microseconds a call: processor time of the calling thread and of the whole process, and the clock's."""

    thread: float
    process: float
    clock: float

    def over(self, plain: "Price") -> "Price":
        """How much more this is."""
        return Price(self.thread - plain.thread, self.process - plain.process, self.clock - plain.clock)


def prices(python: Path, bundle: Path, endpoint: str, turns: int) -> dict[str, list[Price]]:
    """Return what each variant took in each turn."""
    official = APPLICATION.format(before=f"sys.path.append({str(bundle / 'bundle')!r})", after=OFFICIAL)
    variants = {"plain": (PLAIN, {}), "official": (official, {}), "ours": (PLAIN, {"PYTHONPATH": str(bundle), "LLMOBS_ENDPOINT": endpoint})}
    taken: dict[str, list[Price]] = {name: [] for name in variants}
    with ExitStack() as stack:
        running = {name: stack.enter_context(_running(python, code, more)) for name, (code, more) in variants.items()}
        for _ in range(turns):
            for name, process in running.items():
                taken[name].append(_turn(process))
    return taken


@contextmanager
def _running(python: Path, code: str, more: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    environ = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **more}
    process = subprocess.Popen(
        [str(python), "-c", code + TURNS], env=environ, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process


def _turn(process: "subprocess.Popen[str]") -> Price:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{CALLS_A_TURN}\n")
    process.stdin.flush()
    return Price(*(float(seconds) / CALLS_A_TURN * 1e6 for seconds in process.stdout.readline().split()))


def show(taken: dict[str, list[Price]]) -> None:
    """Print one line for each variant."""
    plain = taken["plain"]
    print(f"\n{'a call without network':24}{'thread µs':>12}{'more':>8}{'process, more':>16}{'clock, more':>14}{'ratio':>8}")
    for name, turns in taken.items():
        own = statistics.median(turn.thread for turn in turns)
        more = [turn.over(before) for turn, before in zip(turns, plain, strict=True)]
        thread, process, clock = (statistics.median(getattr(each, kind) for each in more) for kind in ("thread", "process", "clock"))
        ratio = 1 + process / statistics.median(turn.process for turn in plain)
        print(f"{name:24}{own:12.0f}{thread:+8.0f}{process:+16.0f}{clock:+14.0f}{ratio:8.2f}")
