"""Starts an application as a pod would: with the variables that the injector sets, and nothing else of this machine."""

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.otlp import OTLPReceiver, Span

SECONDS = 240
"""How long any application may take; only a hanging one comes near."""

NEVER = {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}
"""With this nothing is sent on time, so what arrives was flushed."""


@dataclass(frozen=True)
class Finished:
    """A process that has ended; seconds are those from its last line of output to its end."""

    status: int
    out: str
    err: str
    lingered: float = 0.0


@dataclass
class Pod:
    """One container: an interpreter, the bundle, a gateway to send to, and the APIs that the application calls."""

    python: Path
    bundle: Path
    gateway: OTLPReceiver
    llm: FakeLLM
    path: list[str] = field(default_factory=list)
    """What the user has on PYTHONPATH."""

    def environ(self, **more: str) -> dict[str, str]:
        """Return the environment of a process; an empty value takes a variable away."""
        inside = {
            "PATH": os.environ["PATH"],
            "HOME": "/nonexistent",
            # In a pod the folder is mounted read-only.
            "PYTHONDONTWRITEBYTECODE": "1",
            "OPENAI_API_KEY": "sk-fake",
            "OPENAI_BASE_URL": f"{self.llm.url}/v1",
            "ANTHROPIC_API_KEY": "sk-fake",
            "ANTHROPIC_BASE_URL": self.llm.url,
            "PYTHONPATH": ":".join([*self.path, str(self.bundle)]),
            "LLMOBS_ENDPOINT": self.gateway.url,
            "LLMOBS_RESOURCE_ATTRIBUTES": "service.name=chat,service.instance.id=team.chat-1.app,team=payments%2Cemea",
            **more,
        }
        return {key: value for key, value in inside.items() if value}

    def start(self, code: str, *arguments: str, **environ: str) -> "subprocess.Popen[str]":
        """Start Python with this code."""
        command = [str(self.python), *arguments, "-c", dedent(code)]
        return self.popen(command, **environ)

    def popen(self, command: Sequence[str], **environ: str) -> "subprocess.Popen[str]":
        """Start a command."""
        inside = self.environ(**environ)
        return subprocess.Popen(command, env=inside, cwd="/", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, code: str, *arguments: str, **environ: str) -> Finished:
        """Run Python with this code to its end."""
        return finish(self.start(code, *arguments, **environ))

    def spans(self, count: int) -> list[Span]:
        """Return the spans that arrived, once there are so many."""
        assert self.gateway.wait(lambda gateway: len(gateway.spans) >= count), f"{len(self.gateway.spans)} of {count} spans"
        return list(self.gateway.spans)


def finish(process: "subprocess.Popen[str]") -> Finished:
    """Wait for a process to end, and kill it when it does not."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    return Finished(process.returncode, out, err)


def finish_timed(process: "subprocess.Popen[str]") -> Finished:
    """Wait for a process that prints one last line, and measure what comes after it."""
    assert process.stdout is not None
    line = process.stdout.readline()
    printed = time.monotonic()
    done = finish(process)
    return Finished(done.status, line + done.out, done.err, time.monotonic() - printed)
