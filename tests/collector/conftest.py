"""Fixtures of the collector tests: the binary, policies, and running gateways."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from llmobs.api import effective
from llmobs.api.settings import Settings
from llmobs.kit.decode import decode
from llmobs.plan.inputs import Facts, Inputs
from llmobs.prices.table import PriceTable, table

from tests.collector.gateway import Gateway
from tests.fakes.otlp import OTLPReceiver

ROOT = Path(__file__).parents[2]
FULL = {"limits": {"content": {"maxCapture": "Full"}}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.collector)


@pytest.fixture(scope="session")
def otelcol() -> str:
    """The path of the collector; without it these tests fail, because a skipped test would hide a wrong figure."""
    given = os.environ.get("OTELCOL")
    asked = [sys.executable, str(ROOT / "tools/build.py"), "--which", "otelcol"]
    path = given or subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not path or not Path(path).exists():
        pytest.fail("there is no otelcol: run `make tools`, or set OTELCOL to one", pytrace=False)
    return path


def inputs(
    policies: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    fleet: Mapping[str, Any] | None = None,
    prices: PriceTable | None = None,
    settings: Mapping[str, Any] | None = None,
    facts: Facts | None = None,
) -> Inputs:
    """What a plan is made from: specs by ``namespace/name``, the spec of one ClusterLLMObservability, the operator's settings."""
    fleets = (effective.fleet({"metadata": {"name": "fleet"}, "spec": fleet or {}}),)
    made = [
        effective.policy({"metadata": dict(zip(("namespace", "name"), key.split("/"), strict=True)), "spec": spec}, fleets, {})
        for key, spec in sorted((policies or {}).items())
    ]
    return Inputs(
        settings=decode(Settings, settings or {}),
        facts=facts or Facts(),
        prices=table([]) if prices is None else prices,
        policies=tuple(made),
        fleets=fleets,
    )


@pytest.fixture(scope="module")
def start(otelcol: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways that end with the module."""
    with ExitStack() as stack:

        def started(given: Inputs, **more: Any) -> Gateway:
            return stack.enter_context(Gateway(otelcol, tmp_path_factory.mktemp("gateway"), given, **more))

        yield started


def sent_to(receiver: OTLPReceiver) -> list[dict[str, Any]]:
    """The ``backends`` of a policy that sends to one receiver."""
    return [{"name": "here", "otlp": {"endpoint": receiver.url, "insecure": True}}]


@pytest.fixture(scope="module")
def kept() -> Iterator[OTLPReceiver]:
    """What keeps everything that the gateways of a module send to :func:`sent_to`."""
    with OTLPReceiver() as made:
        yield made


@pytest.fixture
def receiver() -> Iterator[OTLPReceiver]:
    with OTLPReceiver() as made:
        yield made
