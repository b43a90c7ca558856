#!/usr/bin/env python3
"""Build the test binaries that are missing, or say where they are. See tools/README.md."""

from __future__ import annotations

import argparse
import signal
import sys

from binaries.compile import build
from binaries.failure import Failed, tail
from binaries.families import FAMILIES, Family, family
from binaries.places import layout, link, system


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; the result is the exit status."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a build's temporary folder is removed
    try:
        return _run(options)
    except Failed as failed:
        print(f"tools: {failed}", file=sys.stderr)
        if failed.log:
            print(tail(failed.log), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tools: interrupted; the next run goes on from here", file=sys.stderr)
        return 130


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tools/build.py", description=__doc__)
    names = [entry.name for entry in FAMILIES]
    parser.add_argument("--family", nargs="+", metavar="NAME", default=names, choices=names, help=f"only these: {', '.join(names)}")
    parser.add_argument("--path", action="store_true", help="build nothing, print the folder of the binaries")
    parser.add_argument("--which", metavar="BINARY", help="build nothing, print the path of one binary")
    return parser.parse_args(arguments)


def _run(options: argparse.Namespace) -> int:
    where = layout()
    if options.which:
        print(where.binary(options.which))
    elif options.path:
        print(where.bin)
    else:
        link(where)
        for entry in _wanted(options.family):
            build(where, entry)
        print(f"tools: {where.bin}", file=sys.stderr)
    return 0


def _wanted(names: list[str]) -> list[Family]:
    chosen = [family(name) for name in names]
    for entry in chosen:
        if not entry.buildable(system()):
            print(f"tools: {entry.name} runs on Linux only; skipped", file=sys.stderr)
    return [entry for entry in chosen if entry.buildable(system())]


if __name__ == "__main__":
    sys.exit(main())
