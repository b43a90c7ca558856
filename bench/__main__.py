"""`make bench`: every measurement, one after the other, or those named; each compares ours with a baseline inside one run."""

from __future__ import annotations

import argparse
import subprocess
import sys

MEASUREMENTS = {"webhook": "bench.webhook", "runtime": "bench.runtime.measure", "collector": "bench.collector"}


def main() -> int:
    """Run them; the first that fails ends it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure ours against a baseline in the same run.")
    parser.add_argument(
        "only", nargs="*", metavar="NAME", choices=[[], *MEASUREMENTS], help=f"any of {', '.join(MEASUREMENTS)}; all without one"
    )
    for name in parser.parse_args().only or MEASUREMENTS:
        print(f"== {name}", flush=True)
        status = subprocess.run([sys.executable, "-m", MEASUREMENTS[name]], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
