"""The load: requests of calls as an application with content on sends them, and one connection that sends them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from http.client import HTTPConnection

from tests.collector.gateway import PEER
from tests.collector.spans import current, export, span

SPANS, CONTENT = 100, 1500
"""Spans of a request; characters of prompts and answers on a span."""

TOGETHER = 3
"""Models that one application uses."""

WORDS = ("answer", "before", "depends", "from", "how", "many", "on", "prompt", "question", "read", "so", "the", "to", "tokens", "tool")


def requests(models: Sequence[str], tenants: int) -> Iterator[bytes]:
    """One request for each tenant, as OTLP/JSON. ``models`` are keys of the price table, which the tenants share out among them; the words
    are the same in every run.
    """
    said = random.Random(1)
    for tenant in range(tenants):
        used = [models[(tenant * TOGETHER + number) % len(models)] for number in range(TOGETHER)]
        peer = {f"{PEER}k8s.namespace.name": f"team-{tenant}", f"{PEER}k8s.deployment.name": "app", "service.name": "svc"}
        spans = [span(_call(used[number % TOGETHER], said)) for number in range(SPANS)]
        yield json.dumps(export(peer, spans)).encode()


def _call(listed: str, said: random.Random) -> dict[str, object]:
    provider, _, model = listed.rpartition("|")
    asked, answered = (" ".join(said.choices(WORDS, k=CONTENT // 10)) for _ in range(2))
    return current(
        model,
        1200,
        80,
        provider=provider or "openai",
        **{
            "gen_ai.input.messages": asked,
            "gen_ai.output.messages": answered,
            "gen_ai.request.temperature": 0.5,
            "gen_ai.request.max_tokens": 512,
            "gen_ai.response.id": "chatcmpl-123",
            "gen_ai.response.model": model,
            "gen_ai.response.finish_reasons": ["stop"],
            "gen_ai.usage.cache_read.input_tokens": 100,
            "gen_ai.usage.reasoning.output_tokens": 20,
            "gen_ai.conversation.id": "c-1",
            "gen_ai.agent.name": "researcher",
            "server.address": "api.example.com",
            "server.port": 443,
            "my.own.attribute": "mine",
        },
    )


def send(port: int, bodies: Sequence[bytes]) -> None:
    """All of them over one connection; an answer that is not 200 is an error."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for body in bodies:
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = answer.read()
            if answer.status != 200:
                raise OSError(f"{answer.status} {said!r}")
