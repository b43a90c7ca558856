"""Where panels stand: rows in the order of their first panels, panels side by side while they fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from llmobs.catalogue.panel import Kind, Panel

COLUMNS = 24
HEIGHTS = {Kind.STAT: 6, Kind.BARS: 6, Kind.TABLE: 6, Kind.LINES: 8, Kind.STACK: 8}
"""In units of Grafana's grid."""


def placed(made: Iterable[tuple[Panel, dict[str, Any]]]) -> list[dict[str, Any]]:
    """The panels with their rows, numbered from 1, without overlaps."""
    rows: dict[str, list[tuple[Panel, dict[str, Any]]]] = {}
    for panel, built in made:
        rows.setdefault(panel.row, []).append((panel, built))
    numbers, found, top = count(1), list[dict[str, Any]](), 0
    for title, items in rows.items():
        found.append(_row(title, next(numbers), top))
        top += 1
        for line in _lines(items):
            height = max(HEIGHTS[panel.kind] for panel, _ in line)
            found += _side_by_side(line, top, height, numbers)
            top += height
    return found


def _row(title: str, number: int, top: int) -> dict[str, Any]:
    return {"type": "row", "id": number, "title": title, "collapsed": False, "gridPos": _at(0, top, COLUMNS, 1), "panels": []}


def _lines(items: list[tuple[Panel, dict[str, Any]]]) -> Iterator[list[tuple[Panel, dict[str, Any]]]]:
    line: list[tuple[Panel, dict[str, Any]]] = []
    for item in items:
        if sum(panel.width for panel, _ in [*line, item]) > COLUMNS:
            yield line
            line = []
        line.append(item)
    yield line


def _side_by_side(line: list[tuple[Panel, dict[str, Any]]], top: int, height: int, numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
    left = 0
    for panel, built in line:
        yield {**built, "id": next(numbers), "gridPos": _at(left, top, panel.width, height)}
        left += panel.width


def _at(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"x": left, "y": top, "w": width, "h": height}
