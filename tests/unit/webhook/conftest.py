"""A store with one policy, and the applications over it."""

from __future__ import annotations

import pytest
from llmobs.inject.compiled import Platform
from llmobs.webhook.store import KINDS, Store

from tests.unit.webhook.service import Service, policy


@pytest.fixture
def store() -> Store:
    made = Store(Platform())
    for kind in KINDS:
        made.replace(kind, [policy()] if kind == "LLMObservability" else [])
    return made


@pytest.fixture
def service(store: Store) -> Service:
    return Service(store)
