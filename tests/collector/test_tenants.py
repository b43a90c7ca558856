"""Two hundred namespaces and twenty destinations in one configuration: everything arrives where it belongs, and nowhere else."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from llmobs.plan import collector

from tests.collector.conftest import FULL, inputs
from tests.collector.gateway import Gateway, until
from tests.collector.spans import current, span
from tests.collector.test_golden import accepted
from tests.fakes.loopback import Answering, Loopback
from tests.fakes.otlp import Json, decode

NAMESPACES, DESTINATIONS = 200, 20
CLASSES = (
    {"userIds": "Drop"},
    {"capture": "Hash", "userIds": "Hash"},
    {"capture": "Masked", "maskPatterns": [{"name": "staff", "pattern": "S-[0-9]{6}"}]},
    {"capture": "Masked", "mask": ["Email"], "maxLength": 100, "sampleRatio": 0.5},
    {"capture": "Full"},
)
"""What namespaces ask for their content, in turns."""
REJECTING, HANGING = "d00", "d01"


class Destinations(Loopback):
    """All destinations; the first part of a path names one. One rejects, one does not answer until ``released``."""

    def __init__(self) -> None:
        self.names: dict[str, list[str]] = {}
        self.released = threading.Event()
        self.rejected = 0
        super().__init__(_Handler)


class _Handler(Answering):
    server: Destinations

    def do_POST(self) -> None:
        body = self.body()
        place = self.path.split("/")[1]
        if place == HANGING:
            self.server.released.wait(60)
        if place == REJECTING:
            self.server.rejected += 1
        else:
            self._keep(place, body)
        self.answer(status=503 if place == REJECTING else 200)

    def _keep(self, place: str, body: bytes) -> None:
        request: Json = json.loads(body)
        self.server.names.setdefault(place, []).extend(item.name for item in decode(request))


def wanted(number: int) -> list[str]:
    """The destinations of a namespace."""
    return sorted({f"d{number % DESTINATIONS:02}", f"d{number * 7 % DESTINATIONS:02}"})


def tenants(port: int) -> Any:
    specs = {
        f"n{number}/p": {
            "content": CLASSES[number % len(CLASSES)],
            "attributes": {"team": f"t{number}"},
            "backends": [{"name": name, "destination": name} for name in wanted(number)],
        }
        for number in range(NAMESPACES)
    }
    offered = [
        {"name": f"d{number:02}", "otlp": {"endpoint": f"http://127.0.0.1:{port}/d{number:02}", "insecure": True}} for number in range(20)
    ]
    return inputs(specs, fleet={**FULL, "destinations": offered})


@pytest.fixture(scope="module")
def receivers() -> Iterator[Destinations]:
    with Destinations() as made:
        yield made
        made.released.set()


@pytest.fixture(scope="module")
def gateway(start: Any, receivers: Destinations) -> Gateway:
    """The gateway, when every namespace has sent one call."""
    made: Gateway = start(tenants(receivers.server_address[1]))
    for number in range(NAMESPACES):
        made.send(span(current("gpt-4o", 10, 1), name=f"n{number}"), namespace=f"n{number}")
    made.send(span(current("gpt-4o", 10, 1), name="stray"), namespace="nobody")
    return made


def test_every_call_arrives_where_it_belongs_and_nowhere_else(gateway: Gateway, receivers: Destinations) -> None:
    """One destination rejects and one hangs meanwhile."""
    healthy = {f"d{number:02}" for number in range(DESTINATIONS)} - {REJECTING, HANGING}
    expected = {place: sorted(f"n{n}" for n in range(NAMESPACES) if place in wanted(n)) for place in healthy}

    assert until(lambda: {place: sorted(receivers.names.get(place, [])) for place in healthy} == expected)
    assert until(lambda: receivers.rejected > 0)


def test_every_call_is_counted_once_for_its_namespace(gateway: Gateway) -> None:
    gateway.calls("n199", 1)
    counted = {labels["k8s_namespace"]: value for labels, value in gateway.samples("llm_calls_total")}

    assert {name: counted.get(name) for name in (f"n{n}" for n in range(NAMESPACES))} == {f"n{n}": 1 for n in range(NAMESPACES)}


def test_what_nobody_wants_is_counted(gateway: Gateway) -> None:
    assert until(lambda: gateway.own("otelcol_processor_filter_spans_filtered") == 1)


def test_a_destination_that_hangs_loses_nothing_once_it_answers(gateway: Gateway, receivers: Destinations) -> None:
    receivers.released.set()
    expected = {f"n{n}" for n in range(NAMESPACES) if HANGING in wanted(n)}

    assert until(lambda: set(receivers.names.get(HANGING, [])) == expected)


def test_the_whole_configuration_is_accepted_and_fits(otelcol: str, tmp_path: Path) -> None:
    text = collector.text(tenants(4318))
    (tmp_path / "config.yaml").write_text(text)

    assert accepted(otelcol, tmp_path / "config.yaml") == ""
    assert len(text.encode()) < 600_000, len(text.encode())  # a ConfigMap holds 1 MiB
