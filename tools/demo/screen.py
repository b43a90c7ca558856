"""What the demo prints: numbered headings, indented facts, a short diff, a table."""

from __future__ import annotations

import difflib
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

_WIDTH = 116


def heading(number: int, text: str) -> None:
    """A numbered step of the story."""
    _out(f"\n{number}. {text}")


def fact(text: str) -> None:
    """One line below a heading."""
    for line in text.splitlines():
        for part in textwrap.wrap(line, _WIDTH, drop_whitespace=False, break_on_hyphens=False) or [""]:
            _out(f"   {part}")


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the first is left, the others right."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.ljust(width) if index == 0 else cell.rjust(width) for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        fact("   ".join(cells))


def difference(before: Any, after: Any, *, at_most: int = 60) -> None:
    """What was added to and taken from a piece of plain data, as a diff of its YAML without context."""
    old, new = (yaml.safe_dump(part, sort_keys=False, width=100).splitlines() for part in (before, after))
    changed = [line for line in difflib.unified_diff(old, new, n=0, lineterm="") if not line.startswith(("---", "+++", "@@"))]
    fact("\n".join(changed[:at_most]))
    if len(changed) > at_most:
        fact(f"… and {len(changed) - at_most} lines more")


def _out(text: str) -> None:
    print(text, file=sys.stdout, flush=True)
