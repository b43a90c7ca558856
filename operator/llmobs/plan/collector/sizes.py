"""Sizes as Kubernetes writes them."""

from __future__ import annotations


def mebibytes(size: str) -> int:
    """``512Mi`` or ``2Gi`` in mebibytes."""
    return int(size[:-2]) * (1024 if size.endswith("Gi") else 1)
