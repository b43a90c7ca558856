"""What our pipeline costs beside the same collector that only takes, batches and sends: `python -m bench.collector [--rounds N]`.

Every variant is a collector of its own; all run at once and are served in turns, so that the ratios hold on a busy machine
too. Counted is the process's CPU time per span: a loaded machine slows spans, but hardly what they cost. Nothing is compressed: an
empty pipeline would spend four fifths of its time on packing the content that ours leaves out.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from typing import Any

from llmobs.plan import collector
from llmobs.plan.inputs import Inputs
from llmobs.prices.table import PriceTable, Row, table

from bench.collector.load import requests
from bench.collector.variant import Variant
from tests.collector.conftest import FULL, ROOT, inputs

MODELS, TENANTS = 300, 100
PARTS = ("untrust", "policy", "normalise", "price", "once", "privacy", "series")
"""Steps that are left out one at a time; what is then missing from the whole is what the step costs, with what follows from it:
without prices there are fewer series, without policies nothing is sent on, without privacy more is sent."""
TARGET = 0.55
"""Share of the empty pipeline's rate that is aimed at."""

_LINES = {name: f"without {name}" for name in PARTS}

SIZES = ((300, 10), (300, 100), (300, 1000), (30, 100), (2000, 100))
"""Names of models and tenants of the configurations that are weighed and started."""


class _Sink(BaseHTTPRequestHandler):
    """Takes everything and keeps nothing."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""


@dataclass(frozen=True)
class Setting:
    """What every variant is rendered from."""

    given: Inputs
    models: tuple[str, ...]
    """Keys of the price table."""


def setting(url: str, *, models: int = MODELS, tenants: int = TENANTS, capture: str = "None") -> Setting:
    """Policies and prices of that many; beyond the built-in list, models are made up."""
    listed = table([]).rows
    names = list(listed)
    chosen = [names[number * len(names) // models] for number in range(models)] if models < len(names) else names
    rows = {name: listed[name] for name in chosen}
    rows |= {f"acme-{number}": Row(f"acme-{number}", 1, 2, 0.5, 1, 2) for number in range(models - len(chosen))}
    to = [{"name": "here", "otlp": {"endpoint": url, "insecure": True}}]
    spec = {"backends": to, "content": {"capture": capture}}
    given = inputs({f"team-{number}/only": spec for number in range(tenants)}, fleet=FULL)
    return Setting(replace(given, prices=PriceTable(rows)), tuple(rows))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.collector", description="Ratio of our pipeline to an empty one.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=("rate", "sizes"), help="leave the other measurement out")
    chosen = parser.parse_args()
    asked = [sys.executable, str(ROOT / "tools/build.py"), "--which", "otelcol"]
    otelcol = os.environ.get("OTELCOL") or subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    if chosen.only != "sizes":
        _rates(otelcol, chosen.rounds)
    if chosen.only != "rate":
        _sizes(otelcol)
    return 0


def _rates(otelcol: str, rounds: int) -> None:
    with ExitStack() as stack:
        sink = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Sink))
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        stack.callback(sink.shutdown)
        url = f"http://127.0.0.1:{sink.server_address[1]}"
        made, more = setting(url), setting(url, models=2000)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        wanted = {"empty": made, "whole": made, **dict.fromkeys(PARTS, made), "2000 models": more, "2000 models without price": more}
        wanted |= {f"content {level}": setting(url, capture=level) for level in ("Full", "Masked")}
        variants = {name: stack.enter_context(Variant(otelcol, folder, item.given, name)) for name, item in wanted.items()}
        bodies = list(requests(made.models, TENANTS))
        for variant in variants.values():
            variant.serve(bodies[: TENANTS // 5])
            variant.rounds.clear()
        for _ in range(rounds):
            for variant in variants.values():
                variant.serve(bodies)
        _print(variants)


def _print(variants: dict[str, Variant]) -> None:
    empty, whole = variants["empty"], variants["whole"]
    print(f"{'pipeline':<24}{'us per span':>12}{'spans/s per core':>18}{'of empty':>10}{'MiB':>6}")
    for name, item in variants.items():
        shares = [one / other for one, other in zip(empty.rounds, item.rounds, strict=True)]
        print(f"{_LINES.get(name, name):<24}{item.micro:>12.1f}{1e6 / item.micro:>18.0f}{median(shares):>10.0%}{item.memory():>6.0f}")
    shares = [one / other for one, other in zip(empty.rounds, whole.rounds, strict=True)]
    print(f"whole: {min(shares):.0%} to {max(shares):.0%} of the empty pipeline's rate in {len(shares)} pairs; aimed at: {TARGET:.0%}")
    print()
    print(f"{'a part, and what follows':<24}{'us per span':>12}")
    for name in PARTS:
        print(f"{name:<24}{_without(whole, variants[name]):>12.1f}")
    print(f"{'price of 2000 names':<24}{_without(variants['2000 models'], variants['2000 models without price']):>12.1f}")


def _without(whole: Variant, part: Variant) -> float:
    return median(one - other for one, other in zip(whole.rounds, part.rounds, strict=True))


def _sizes(otelcol: str) -> None:
    print()
    print(f"{'names of models':>15}{'tenants':>9}{'KiB':>6}{'CPU s to start':>16}{'MiB':>6}")
    for models, tenants in SIZES:
        made = setting("http://127.0.0.1:1", models=models, tenants=tenants)
        size = len(collector.text(made.given).encode())
        with tempfile.TemporaryDirectory() as folder, Variant(otelcol, Path(folder), made.given, "whole") as started:
            print(f"{models:>15}{tenants:>9}{size / 1024:>6.0f}{started.cpu():>16.1f}{started.memory():>6.0f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
