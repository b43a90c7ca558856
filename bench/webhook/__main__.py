"""What admission costs beside the server it runs on: `python -m bench.webhook [--seconds N]`.

The product, a handler that does nothing, one that copies the pod and sends the difference, and kopf's own admission server with
the same change are measured in turns in one run, on one core, so that the ratios hold on a busy machine too. Those of CPU time
per request are the steadier ones: a loaded machine slows requests, but hardly what they cost.

The product has two rows. `templates` are pods of fifty Deployments by turns: what rollouts, drains and bursts are, where the pods
of one ReplicaSet, Job or DaemonSet are decided on once or twice and told again. In `different` no two pods share a template: that is
what pods made by hand or by a CI system cost, those of a StatefulSet, and the first two of every other template.

Each is measured twice: as fast as answers come, and at half the rate that this gave, whatever comes back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.webhook.client import Load, load
from bench.webhook.pods import Requests, all_different, of_templates
from bench.webhook.serve import POLICIES

ROUNDS = 3
CONNECTIONS = 16
LOADS: dict[str, tuple[str, Callable[[], Requests]]] = {
    "nothing": ("nothing", of_templates),
    "kopf": ("kopf", of_templates),
    "diff": ("diff", of_templates),
    "templates": ("admission", of_templates),
    "different": ("admission", all_different),
}
"""The rows: which handler, asked about which pods."""


@dataclass
class Measured:
    """All rounds of one row."""

    port: int
    process: subprocess.Popen[str]
    requests: Requests
    full: list[Load] = field(default_factory=list)
    half: list[Load] = field(default_factory=list)
    used: float = 0
    """Seconds of CPU in the rounds at full rate."""

    def cpu(self) -> float:
        """Seconds of CPU the server has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def run(self, seconds: float) -> None:
        """One round at each rate."""
        before = self.cpu()
        seen = self.sent(seconds)
        self.used += self.cpu() - before
        self.full.append(seen)
        self.half.append(self.sent(seconds, rate=len(seen.seconds) / seconds / 2))

    def sent(self, seconds: float, rate: float = 0) -> Load:
        """One load."""
        return asyncio.run(load(self.port, self.requests, connections=CONNECTIONS, seconds=seconds, rate=rate))

    @property
    def answered(self) -> int:
        """Requests of all rounds at full rate."""
        return sum(len(seen.seconds) for seen in self.full)

    @property
    def micro(self) -> float:
        """Microseconds of CPU per request."""
        return self.used / self.answered * 1e6

    @property
    def failed(self) -> int:
        """Requests without a good answer."""
        return sum(seen.failed for seen in (*self.full, *self.half))


def main() -> int:
    """Measure, print, and fail when a request failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhook", description="Ratio of admission to a handler that does nothing.")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of each round; there are six for each row")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        certificate = _certificate(Path(folder))
        rows = {name: _start(handler, certificate, pods()) for name, (handler, pods) in LOADS.items()}
        try:
            _rounds(rows, seconds)
        finally:
            for measured in rows.values():
                measured.process.terminate()
                measured.process.wait()
    return _report(rows, seconds)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made = ["openssl", "req", "-x509", *curve, "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(made, check=True, capture_output=True)
    return certificate, key


def _start(handler: str, certificate: tuple[Path, Path], requests: Requests) -> Measured:
    command = [sys.executable, "-m", "bench.webhook.serve", handler, *map(str, certificate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
    assert process.stdout is not None
    return Measured(int(process.stdout.readline()), process, requests)


def _rounds(rows: dict[str, Measured], seconds: float) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    for measured in rows.values():
        measured.sent(0.5)
    for _ in range(ROUNDS):
        for measured in rows.values():
            measured.run(seconds)


def _report(rows: dict[str, Measured], seconds: float) -> int:
    for name, measured in rows.items():
        for word, loads in (("full", measured.full), ("half", measured.half)):
            whole = Load([one for seen in loads for one in seen.seconds])
            print(
                f"{name:10} {word} rate {len(whole.seconds) / (ROUNDS * seconds):7.0f} requests/s   p50 {whole.quantile(0.5) * 1e3:6.2f} ms"
                f"   p99 {whole.quantile(0.99) * 1e3:6.2f} ms" + (f"   {measured.micro:6.1f} us CPU per request" if word == "full" else "")
            )
    result: dict[str, object] = {"name": "webhook", "policies": POLICIES, "connections": CONNECTIONS}
    for name in ("templates", "different"):
        result[name] = _ratios(rows, rows[name])
    result["failed"] = sum(measured.failed for measured in rows.values())
    print(json.dumps(result))
    return 1 if result["failed"] else 0


def _ratios(rows: dict[str, Measured], ours: Measured) -> dict[str, float]:
    whole = {word: Load([one for seen in loads for one in seen.seconds]) for word, loads in (("full", ours.full), ("half", ours.half))}
    nothing, others = rows["nothing"], {name: rows[name] for name in ("diff", "kopf")}
    return {
        "rate_ratio": round(ours.answered / nothing.answered, 3),
        "cpu_ratio": round(nothing.micro / ours.micro, 3),
        **{f"rate_over_{name}": round(ours.answered / other.answered, 2) for name, other in others.items()},
        **{f"cpu_over_{name}": round(other.micro / ours.micro, 2) for name, other in others.items()},
        **{f"p99_ms_{word}": round(seen.quantile(0.99) * 1e3, 2) for word, seen in whole.items()},
    }


if __name__ == "__main__":
    uvloop.install()
    sys.exit(main())
