"""What admission costs beside the server it runs on: `python -m bench.webhook [--seconds N]`.

The product, a handler that does nothing, one that copies the pod and sends the difference, and kopf's own admission server with
the same change are measured in turns in one run, on one core, so that the ratios hold on a busy machine too. Those of CPU time
per request are the steadier ones: a loaded machine slows requests, but hardly what they cost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from bench.webhook.client import Load, load
from bench.webhook.pods import review
from bench.webhook.serve import NAMESPACE, POLICIES

ROUNDS = 3
CONNECTIONS = 16


@dataclass
class Measured:
    """All rounds of one handler."""

    port: int
    process: subprocess.Popen[str]
    rounds: list[tuple[Load, float]] = field(default_factory=list)

    def cpu(self) -> float:
        """Seconds of CPU the server has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def requests(self) -> int:
        """Requests of all rounds."""
        return sum(len(seen.seconds) for seen, _ in self.rounds)

    @property
    def whole(self) -> Load:
        """All rounds as one."""
        return Load([one for seen, _ in self.rounds for one in seen.seconds], sum(seen.failed for seen, _ in self.rounds))

    @property
    def micro(self) -> float:
        """Microseconds of CPU per request."""
        return sum(cpu for _, cpu in self.rounds) / self.requests * 1e6


def main() -> int:
    """Measure, print, and fail when a request failed."""
    parser = argparse.ArgumentParser(prog="python -m bench.webhook", description="Ratio of admission to a handler that does nothing.")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each round; there are three for each handler")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        certificate = _certificate(Path(folder))
        handlers = {name: _start(name, certificate) for name in ("nothing", "kopf", "diff", "admission")}
        try:
            _rounds(handlers, seconds)
        finally:
            for measured in handlers.values():
                measured.process.terminate()
                measured.process.wait()
    return _report(handlers, seconds)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "tls.crt", folder / "tls.key"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made = ["openssl", "req", "-x509", *curve, "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(made, check=True, capture_output=True)
    return certificate, key


def _start(name: str, certificate: tuple[Path, Path]) -> Measured:
    command = [sys.executable, "-m", "bench.webhook.serve", name, *map(str, certificate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
    assert process.stdout is not None
    return Measured(int(process.stdout.readline()), process)


def _rounds(handlers: dict[str, Measured], seconds: float) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    body = review(NAMESPACE)
    for number in range(ROUNDS + 1):
        for measured in handlers.values():
            before = measured.cpu()
            # The first turn only warms up.
            seen = asyncio.run(load(measured.port, body, connections=CONNECTIONS, seconds=seconds if number else 0.5))
            if number:
                measured.rounds.append((seen, measured.cpu() - before))


def _report(handlers: dict[str, Measured], seconds: float) -> int:
    nothing, ours = handlers["nothing"], handlers["admission"]
    for name, measured in handlers.items():
        whole = measured.whole
        rate = measured.requests / (ROUNDS * seconds)
        print(
            f"{name:10} {rate:8.0f} requests/s   p50 {whole.quantile(0.5) * 1e3:6.2f} ms   p99 {whole.quantile(0.99) * 1e3:6.2f} ms   "
            f"{measured.micro:6.1f} us CPU per request   {whole.failed} failed"
        )
    result = {
        "name": "webhook",
        "policies": POLICIES,
        "connections": CONNECTIONS,
        "rate_ratio": round(ours.requests / nothing.requests, 3),
        "cpu_ratio": round(nothing.micro / ours.micro, 3),
        "rate_over_diff": round(ours.requests / handlers["diff"].requests, 2),
        "cpu_over_diff": round(handlers["diff"].micro / ours.micro, 2),
        "rate_over_kopf": round(ours.requests / handlers["kopf"].requests, 2),
        "cpu_over_kopf": round(handlers["kopf"].micro / ours.micro, 2),
        "p99_ms": round(ours.whole.quantile(0.99) * 1e3, 2),
    }
    print(json.dumps(result))
    return 1 if any(measured.whole.failed for measured in handlers.values()) else 0


if __name__ == "__main__":
    uvloop.install()
    sys.exit(main())
