"""Fixtures of the runtime tests: pods with applications of several kinds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from examples.chat.fake_llm.server import FakeLLM
from tests.fakes.otlp import OTLPReceiver
from tests.runtime import machine
from tests.runtime.pod import Pod


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of this folder."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.runtime)


@pytest.fixture(scope="session")
def bundle() -> Path:
    return machine.bundle()


@pytest.fixture
def gateway() -> Iterator[OTLPReceiver]:
    with OTLPReceiver() as receiver:
        yield receiver


@pytest.fixture
def llm() -> Iterator[FakeLLM]:
    with FakeLLM() as fake:
        yield fake


@pytest.fixture
def pod(bundle: Path, gateway: OTLPReceiver, llm: FakeLLM) -> Pod:
    """A pod whose application knows nothing of OpenTelemetry."""
    return Pod(machine.environment("plain"), bundle, gateway, llm)


@pytest.fixture
def pod_of(bundle: Path, gateway: OTLPReceiver, llm: FakeLLM) -> Callable[[Path], Pod]:
    """Makes a pod with another Python."""
    return lambda python: Pod(python, bundle, gateway, llm)
