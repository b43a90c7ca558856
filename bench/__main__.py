"""`make bench`: every measurement, one after the other; each compares ours with a baseline inside one run."""

from __future__ import annotations

import subprocess
import sys

MEASUREMENTS = ("bench.webhook", "bench.runtime.measure", "bench.collector")


def main() -> int:
    """Run all of them; the first that fails ends it."""
    for module in MEASUREMENTS:
        print(f"== {module}", flush=True)
        status = subprocess.run([sys.executable, "-m", module], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
