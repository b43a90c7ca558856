"""The page of libraries and Pythons claims nothing that no test shows."""

from tests.runtime import matrix


def test_every_claim_has_a_test_and_no_figure_is_zero() -> None:
    """What is received is compared where the applications run: in ``test_family.py`` and ``test_frameworks.py``."""
    said = matrix.cells()
    assert {name: tuple(figures) for name, figures in said.items()} == matrix.ROWS
    assert [name for name, figures in said.items() if not all(figures.values())] == []


def test_nothing_else_stands_on_the_page() -> None:
    assert matrix.PAGE.read_text() == matrix.text(matrix.cells())
