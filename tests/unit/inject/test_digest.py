"""What a policy does to pods has one digest, whichever process computes it: a restart must not make instrumented pods stale."""

from __future__ import annotations

import os
import subprocess
import sys

from llmobs.api import effective
from llmobs.inject.compiled import Platform, compiled

SPEC = {
    "injection": {
        "containers": {"include": ["a", "b", "c"]},
        "resources": {"requests": {"cpu": "5m"}},
        "env": [{"name": "A", "value": "b"}],
    }
}
PRINT = "from tests.unit.inject.test_digest import digest; print(digest())"


def digest() -> str:
    policy = effective.policy({"metadata": {"name": "p", "namespace": "n", "uid": "u"}, "spec": SPEC}, [], {})
    return compiled(policy, Platform()).digest


def test_every_process_computes_the_same() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PRINT], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {digest()}
