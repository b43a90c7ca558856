"""Resource quantities in all of Kubernetes' spellings."""

from __future__ import annotations

import pytest
from llmobs.kit.quantity import MEBIBYTE, cpu, memory, thousandths


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1", 1000),
        (2, 2000),
        (0.5, 500),
        ("250m", 250),
        ("100u", 1),
        ("1n", 1),
        ("1.5", 1500),
        (".5", 500),
        ("5.", 5000),
        ("+1", 1000),
        ("0", 0),
        ("64Mi", 64 * MEBIBYTE),
        ("1Gi", 1024 * MEBIBYTE),
        ("1.5Gi", 1536 * MEBIBYTE),
        ("100M", 100_000_000_000),
        ("1k", 1_000_000),
        ("1e3", 1_000_000),
        ("1E3", 1_000_000),
        ("12e-1", 1200),
        ("1E", 10**21),
        ("1Ei", 1024**6 * 1000),
    ],
)
def test_reading(text: str | float, want: int) -> None:
    assert thousandths(text) == want


@pytest.mark.parametrize("text", ["", "lots", "1 Gi", "1GB", "--1", "1e", "0x10", "1e999"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="is no resource quantity such as"):
        thousandths(text)


def test_writing() -> None:
    assert (cpu(250), memory(32 * MEBIBYTE), memory(100_000_000_000), memory(1500)) == ("250m", "32Mi", "100000000", "1")
