"""Every check and every test: build what is missing, check the code, test in parallel, then test on a real node.

Arguments go to pytest instead of the whole suite: `make test TESTS=tests/unit`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from binaries.failure import Failed
from cluster.packages import IMAGE_COMMANDS, NODE_COMMANDS, require
from cluster.settings import possible, settings

ROOT = Path(__file__).resolve().parents[2]
NODE = "tests/e2e"
WORKERS = 2


@dataclass(frozen=True)
class Step:
    """One part of the suite: its name on the screen and the command that passes or fails."""

    name: str
    command: Sequence[str]
    needed: Callable[[], bool] = lambda: True


def pytest(*arguments: str) -> list[str]:
    """Pytest in this interpreter, quiet but for what failed, slowest tests named."""
    return [sys.executable, "-m", "pytest", "-q", "--durations=5", *arguments]


def steps(wanted: Sequence[str]) -> list[Step]:
    """The whole suite, or only the tests that were asked for."""
    tools = Step("test binaries", [sys.executable, "tools/build.py"])
    if wanted:
        return [tools, Step("tests", pytest(*wanted))]
    return [
        tools,
        Step("code", ["make", "--no-print-directory", "check"]),
        Step("tests", pytest("-n", str(WORKERS), "--dist", "loadfile", "tests", f"--ignore={NODE}")),
        Step("tests on a real node", pytest(NODE), needed=node),
    ]


def node() -> bool:
    """Whether a real node can run here; says so in one line where it cannot."""
    try:
        possible()
    except Failed as reason:
        print(f"skipped: the tests on a real node: {reason}", flush=True)
        return False
    return True


def main() -> int:
    """Run step after step; the first that fails ends it."""
    began = time.monotonic()
    try:
        possible()
        require({**NODE_COMMANDS, **IMAGE_COMMANDS}, settings().images.parent / "apt.log")
    except Failed as reason:
        print(f"packages: {reason}", flush=True)
    for step in steps(sys.argv[1:]):
        if step.needed() and not passed(step):
            return 1
    print(f"suite: passed in {time.monotonic() - began:.0f} s")
    return 0


def passed(step: Step) -> bool:
    """Run one step with its time on the screen."""
    print(f"== {step.name}", flush=True)
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": ""}
    status = subprocess.run(list(step.command), cwd=ROOT, check=False, stdin=subprocess.DEVNULL, env=environment).returncode
    word = "done" if status == 0 else f"FAILED (exit status {status})"
    print(f"== {step.name}: {word} in {time.monotonic() - began:.0f} s", flush=True)
    return status == 0


if __name__ == "__main__":
    sys.exit(main())
