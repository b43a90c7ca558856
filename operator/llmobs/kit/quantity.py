"""Kubernetes' resource quantities as whole thousandths: ``250m`` of CPU is 250, ``64Mi`` of memory is 67108864000."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache

MEBIBYTE = 1024 * 1024 * 1000
"""One MiB in thousandths of a byte."""

_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]{1,2})?")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {letter + "i": 1024**power for power, letter in enumerate("KMGTPE", start=1)}


@lru_cache(maxsize=4096)
def thousandths(quantity: str | float) -> int:
    """``quantity`` in thousandths of its unit, rounded up as the API server rounds. Raises ``ValueError`` for other text."""
    match = _FORM.fullmatch(str(quantity).strip())
    if match is None:
        raise ValueError(f"{quantity!r} is no resource quantity such as 250m or 64Mi")
    number, suffix = Decimal(match[1]), match[2] or ""
    if suffix in _BINARY:
        number *= _BINARY[suffix]
    elif suffix in _DECIMAL:
        number = number.scaleb(_DECIMAL[suffix])
    else:
        number = number.scaleb(int(suffix[1:]))
    return int((number * 1000).to_integral_value(ROUND_CEILING))


def cpu(amount: int) -> str:
    """Thousandths of a core as a quantity."""
    return f"{amount}m"


def memory(amount: int) -> str:
    """Thousandths of a byte as a quantity, rounded down to bytes."""
    return f"{amount // MEBIBYTE}Mi" if amount % MEBIBYTE == 0 else str(amount // 1000)
