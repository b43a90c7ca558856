"""The real helm on our chart."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "llm-observability-operator"
NAMESPACE = "llmobs-system"


@cache
def helm() -> str:
    """The path of helm; the test that asks is skipped where it has not been built."""
    asked = [sys.executable, ROOT / "tools/build.py", "--which", "helm"]
    path = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not path or not Path(path).exists():
        pytest.skip("helm is not built: run `make tools`")
    return path


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm(), *arguments], capture_output=True, text=True, check=False)


def manifests(*options: str, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """What an installation with these options creates."""
    done = run("template", "llmobs", str(CHART), "--namespace", namespace, *options)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def one(found: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    [item] = [item for item in found if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return item
