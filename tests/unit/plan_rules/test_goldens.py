"""The rendered rules are what they were, byte by byte; UPDATE_GOLDEN=1 writes them anew for a review."""

import os
from pathlib import Path

import pytest
from llmobs.kit.documents import dump
from llmobs.plan.inputs import Inputs
from llmobs.plan.rules import fleet, policy

from tests.rules.cases import golden

FOLDER = Path(__file__).parents[2] / "golden/rules"


def rendered(inputs: Inputs) -> str:
    return dump([fleet(inputs), *(policy(inputs, item) for item in inputs.policies)])


@pytest.mark.parametrize("name", golden())
def test_rules_are_as_reviewed(name: str) -> None:
    path, text = FOLDER / f"{name}.yaml", rendered(golden()[name])
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


def test_every_golden_has_its_case() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(golden())
