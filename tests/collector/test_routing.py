"""Traces reach the receivers that policies name, each with its credential, and a dead one takes nothing from the others."""

from pathlib import Path
from typing import Any

import pytest
from llmobs.plan.collector.sinks import CREDENTIALS

from tests.collector.conftest import inputs
from tests.collector.gateway import Gateway, free_ports, until
from tests.collector.spans import current, span
from tests.fakes.otlp import OTLPReceiver


class Place:
    """Receivers, a dead address, and a gateway that knows them."""

    def __init__(self, start: Any, folder: Path, receivers: dict[str, OTLPReceiver]) -> None:
        self.receivers = receivers
        for name in ("first", "second"):
            (folder / name).mkdir()
            (folder / name / "token").write_text(f"token-of-{name}\n")
        destinations = [
            {"name": name, "otlp": {"endpoint": receivers[name].url, "insecure": True, "credentialsSecretRef": {"name": f"{name}-secret"}}}
            for name in ("first", "second")
        ]
        dead = {"name": "dead", "otlp": {"endpoint": f"http://127.0.0.1:{free_ports(1)[0]}", "insecure": True}}
        broken = {"name": "broken", "otlp": {"endpoint": receivers["broken"].url, "insecure": True}}
        own = {"name": "own", "otlp": {"endpoint": receivers["own"].url, "insecure": True, "headers": {"X-Scope-OrgID": "te$nant"}}}
        specs = {
            "one/p": {"backends": [{"name": "a", "destination": "first"}]},
            "both/p": {"backends": [{"name": "a", "destination": "first"}, {"name": "b", "destination": "second"}, own]},
            "mourning/p": {"backends": [{"name": name, "destination": name} for name in ("dead", "broken", "second")]},
        }
        self.gateway: Gateway = start(
            inputs(specs, fleet={"destinations": [*destinations, dead, broken]}), credentials={CREDENTIALS: str(folder)}
        )


@pytest.fixture(scope="module")
def place(start: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with OTLPReceiver() as first, OTLPReceiver() as second, OTLPReceiver() as own, OTLPReceiver(status=503) as broken:
        yield Place(start, tmp_path_factory.mktemp("credentials"), {"first": first, "second": second, "own": own, "broken": broken})


@pytest.fixture(autouse=True)
def clean(place: Place) -> None:
    for receiver in place.receivers.values():
        receiver.spans.clear()
        receiver.requests.clear()


def named(place: Place, receiver: str) -> list[str]:
    return sorted(item.name for item in place.receivers[receiver].spans)


def test_each_policy_sends_to_its_receivers(place: Place) -> None:
    call = current("gpt-4o", 10, 1)
    place.gateway.send(span(call, name="nowhere"), namespace="nobody")
    place.gateway.send(span(call, name="one"), namespace="one")
    place.gateway.send(span(call, name="both"), namespace="both")

    assert until(
        lambda: named(place, "first") == ["both", "one"] and named(place, "second") == ["both"] and named(place, "own") == ["both"]
    )


def test_each_receiver_gets_its_own_credential_and_headers(place: Place) -> None:
    place.gateway.send(span(current("gpt-4o", 10, 1), name="both"), namespace="both")

    assert until(lambda: all(place.receivers[name].requests for name in ("first", "second", "own")))
    assert {item["authorization"] for item in place.receivers["first"].requests} == {"Bearer token-of-first"}
    assert {item["authorization"] for item in place.receivers["second"].requests} == {"Bearer token-of-second"}
    assert {item["x-scope-orgid"] for item in place.receivers["own"].requests} == {"te$nant"}
    assert all("authorization" not in item for item in place.receivers["own"].requests)


def test_a_dead_receiver_takes_nothing_from_the_others(place: Place) -> None:
    for number in range(20):
        place.gateway.send(span(current("gpt-4o", 10, 1), name=f"m{number}"), namespace="mourning")
        place.gateway.send(span(current("gpt-4o", 10, 1), name=f"o{number}"), namespace="one")

    assert until(lambda: len(named(place, "second")) == 20 and len(named(place, "first")) == 20)
    place.gateway.calls("mourning", 20)
    assert place.gateway.value("llm_calls_total", k8s_namespace="mourning") == 20
    assert place.receivers["broken"].spans == []
