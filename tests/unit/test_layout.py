"""The shape of the repository: what keeps it readable and what keeps Python's own `operator` importable."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


PYTHON = tracked("*.py")


def test_the_source_root_is_no_package() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_short_named_and_introduced(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno and node.end_lineno - node.lineno + 1 > 60
    ]

    assert len(text.splitlines()) < 300
    assert long == []
    assert path.stem not in FORBIDDEN
    assert ast.get_docstring(tree) or not text.strip(), "the first line says what is inside"


def test_nothing_names_the_place_it_was_made_in() -> None:
    needles = ("/" + "work/", "/" + "root/", "proxy.golang" + ".org", "pypi" + ".org", "sum.golang" + ".org", "deb.debian" + ".org")
    texts = [path for path in tracked() if path.suffix not in {".sum", ".lock"} and path.name != "LICENSE"]
    found = [f"{path.relative_to(ROOT)}: {needle}" for path in texts for needle in needles if needle.encode() in path.read_bytes()]

    assert found == []
