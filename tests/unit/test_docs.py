"""Every test that a page of the documentation names exists, and every complaint and fault names one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))
NAMED = re.compile(r"`(?:(tests/[-\w/]+(?:\.py)?)(?:::(test_\w+))?|(test_\w+))`")
COMPLAINTS = 20


@cache
def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def every() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests").rglob("test_*.py")))


def named(line: str) -> list[tuple[str, str]]:
    """The tests that a line names: file and name; the name is empty where the whole file is meant, and one alone is of the
    file before, or of any."""
    found: list[tuple[str, str]] = []
    for path, name, bare in NAMED.findall(line):
        if path:
            found.append((path, name))
        elif bare:
            found.append((found[-1][0] if found else "", bare))
    return found


def cases(line: str) -> list[str]:
    """The cases of admission that a line names: those in backticks behind the word."""
    return [name for rest in re.split(r"\bcases? ", line)[1:] for name in re.findall(r"`([-a-z0-9.]+\*?)`", rest.partition(";")[0])]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tests_that_a_page_names_exist(page: Path) -> None:
    for line in page.read_text(encoding="utf-8").splitlines():
        for path, name in named(line):
            assert (ROOT / path).exists(), line
            if name:
                assert f"def {name}(" in (text(path) if path else every()), f"{name} is not in {path or 'tests'}"


def rows(heading: str) -> list[str]:
    _, _, rest = text("docs/injection.md").partition(f"## {heading}\n")
    return [line for line in rest.partition("\n## ")[0].splitlines() if line.startswith("| ")][1:]


def test_every_complaint_has_its_test() -> None:
    found = rows("What users fear of injectors, and the test that covers it")

    assert [line.split("|")[1].strip() for line in found] == [str(number) for number in range(1, COMPLAINTS + 1)]
    for line in found:
        assert named(line) or cases(line), line
        for case in cases(line):
            assert list((ROOT / "tests/admission/cases").glob(case)), f"there is no case {case}"


def test_every_fault_has_its_test() -> None:
    found = rows("What may go wrong, and what becomes of pods then")

    assert len(found) > 9
    for line in found:
        assert named(line), line


def test_decisions_are_numbered_one_by_one_and_links_between_pages_lead_somewhere() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. "), path.name
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES, *decisions]:
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name} links to {link}"
