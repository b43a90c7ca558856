"""The entry point: ``llmobs``, ``python -m llmobs`` and ``kubectl llmobs``."""

from __future__ import annotations

import sys

from llmobs.cli.program import program


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit status: 0 done, 1 failed, 2 bad input or usage, 3 not injected (``inject``, ``why``)."""
    return program(sys.argv[1:] if arguments is None else arguments)


if __name__ == "__main__":
    sys.exit(main())
