"""The real node with the demo's story on it: told once, then every test looks at what is there or adds to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from binaries.failure import Failed
from cluster import monitoring
from cluster.cli import current
from cluster.settings import possible, settings
from cluster.stop import down
from demo.kube import Kube, Prometheus

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class World:
    """The cluster, and what the story saw."""

    kube: Kube
    prometheus: Prometheus
    told: dict[str, Any]
    screen: str


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """`make demo KEEP=1`, and the cluster taken down at the end whatever happened."""
    try:
        possible()
    except Failed as reason:
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("story")
    result = folder / "result.json"
    command = [sys.executable, "-m", "demo", "--keep", "--result", str(result)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tools")}
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
        where = current()
        kube = Kube(where.binaries / "kubectl", where.binaries / "helm", where.kubeconfig, folder / "calls.log")
        prometheus = Prometheus(kube, monitoring.NAMESPACE, "prometheus:web")
        yield World(kube, prometheus, json.loads(result.read_text(encoding="utf-8")), done.stdout)
    finally:
        down(settings())
