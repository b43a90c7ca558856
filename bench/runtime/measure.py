"""What the runtime costs: pairs of processes with and without it, taken in turn within one run.

    .venv/bin/python bench/runtime/measure.py [--rounds N] [--calls N]

Time is processor time of the whole process (user and system), which a busy machine disturbs less than the clock; the figure of a
case is the median of its rounds. ``eager`` is the same bundle as other injectors would start it: every library is imported and
instrumented in every process.
"""

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.runtime import calls  # noqa: E402
from tests.fakes.otlp import OTLPReceiver  # noqa: E402
from tests.runtime import machine  # noqa: E402

EAGER = """
import sys
sys.path.append({bundle!r} + "/bundle")
sys.path.insert(0, {bundle!r})
import openai, anthropic
from llmobs_runtime.activate import activate
activate("openai")
activate("anthropic")
"""
# What wait4 calls the largest resident set includes that of the process before it became this one.
PEAK = "print([line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')][0])"
# What is held after so many calls; what waits to be sent is not yet sent then, and belongs to it.
HELD = """
import gc
calls(100)
made = 0
for count in {counts}:
    calls(count - made)
    made = count
    gc.collect()
    print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")][0])
"""


@dataclass(frozen=True)
class Cost:
    """Medians: processor milliseconds, largest resident memory in MB."""

    milliseconds: float
    megabytes: float


@dataclass(frozen=True)
class Bench:
    """The Python and the bundle under test."""

    python: Path
    bundle: Path
    endpoint: str

    def environ(self, path: str) -> dict[str, str]:
        """Return the environment of a process with this PYTHONPATH."""
        return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "LLMOBS_ENDPOINT": self.endpoint, "PYTHONDONTWRITEBYTECODE": "1"}

    def once(self, path: str, code: str) -> Cost:
        """Run one process to its end."""
        command = [str(self.python), "-c", f"{code}\n{PEAK}"]
        process = subprocess.Popen(command, env=self.environ(path), cwd="/", stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout:
            peak = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{code!r} ended with {process.returncode}")
        return Cost((used.ru_utime + used.ru_stime) * 1000, int(peak) / 1024)

    def compare(self, code: str, paths: dict[str, str], rounds: int) -> dict[str, Cost]:
        """Run every variant once a round, and return the medians."""
        taken: dict[str, list[Cost]] = {name: [] for name in paths}
        for round_number in range(rounds + 1):
            for name, path in paths.items():
                cost = self.once(path, code)
                # The first round fills the kernel's caches.
                if round_number:
                    taken[name].append(cost)
        return {
            name: Cost(statistics.median(c.milliseconds for c in costs), statistics.median(c.megabytes for c in costs))
            for name, costs in taken.items()
        }

    def held(self, path: str, counts: tuple[int, ...]) -> list[float]:
        """Resident MB of one process after so many calls."""
        return [int(size) / 1024 for size in self._said(path, calls.PLAIN + HELD.format(counts=counts)).split()]

    def _said(self, path: str, code: str) -> str:
        command = [str(self.python), "-c", code]
        return subprocess.run(command, env=self.environ(path), capture_output=True, text=True, check=True).stdout

    def linger(self, endpoint: str) -> float:
        """Seconds from the last statement to the end, with one span to send to this endpoint."""
        code = "import openai, time\ntry:\n    openai.OpenAI(api_key='k', base_url='http://127.0.0.1:9', max_retries=0).models.list()\n"
        code += "except openai.APIError: pass\ntry:\n    openai.OpenAI(api_key='k', base_url='http://127.0.0.1:9', max_retries=0)"
        code += ".embeddings.create(model='m', input='x')\nexcept openai.APIError: pass\nprint(time.monotonic(), flush=True)"
        environ = self.environ(str(self.bundle)) | {"LLMOBS_ENDPOINT": endpoint}
        done = subprocess.run([str(self.python), "-c", code], env=environ, capture_output=True, text=True, check=True)
        return time.monotonic() - float(done.stdout)


def main() -> None:
    """Measure everything, and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--calls", type=int, default=20000, help="how many calls memory is watched for")
    arguments = parser.parse_args()
    rounds = arguments.rounds
    with OTLPReceiver() as gateway, tempfile.TemporaryDirectory() as scratch:
        bench = Bench(machine.environment("plain"), machine.bundle(), gateway.url)
        start_up(bench, Path(scratch), rounds)
        calls.show(calls.prices(bench.python, bench.bundle, bench.endpoint, turns=rounds * 20))
        memory(bench, arguments.calls)
        exits(bench)


def start_up(bench: Bench, scratch: Path, rounds: int) -> None:
    """Print what starting a process costs."""
    (scratch / "eager").mkdir()
    (scratch / "eager" / "sitecustomize.py").write_text(EAGER.format(bundle=str(bench.bundle)))
    # As for an interpreter other than the one that the byte code was compiled for.
    shutil.copytree(bench.bundle, scratch / "source", ignore=shutil.ignore_patterns("__pycache__"))
    variants = {"plain": "", "ours": str(bench.bundle), "ours, no byte code": str(scratch / "source"), "eager": str(scratch / "eager")}
    print(f"{'start of a process':34}{'CPU ms':>9}{'MB':>8}{'more ms':>10}{'more MB':>10}{'ratio':>8}")
    for code in ("pass", "import openai", "import anthropic"):
        costs = bench.compare(code, variants, rounds)
        plain = costs["plain"]
        for name, cost in costs.items():
            more = f"{cost.milliseconds - plain.milliseconds:10.1f}{cost.megabytes - plain.megabytes:10.1f}"
            print(f"{code:17}{name:17}{cost.milliseconds:9.1f}{cost.megabytes:8.1f}{more}{cost.milliseconds / plain.milliseconds:8.2f}")
        eager, ours = costs["eager"].milliseconds, costs["ours"].milliseconds
        print(f"{code:17}{'eager : ours':17}{'':37}{eager / ours:7.1f}")


def memory(bench: Bench, most: int) -> None:
    """Print whether memory grows with the number of calls."""
    counts = (most // 50, most // 5, most)
    print(f"{'memory after calls':20}{''.join(f'{count:>12,}' for count in counts)}")
    for name, path in {"plain": "", "ours": str(bench.bundle)}.items():
        print(f"{name:20}{''.join(f'{size:9.1f} MB' for size in bench.held(path, counts))}")


def exits(bench: Bench) -> None:
    """Print how long a process lingers when the collector is away."""
    with black_hole() as endpoint:
        silent = bench.linger(endpoint)
    refused = bench.linger("http://127.0.0.1:9")
    print(f"exit, one span to send      collector down {refused:.2f} s, collector silent {silent:.2f} s")


@contextmanager
def black_hole() -> Iterator[str]:
    """Take connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


if __name__ == "__main__":
    main()
