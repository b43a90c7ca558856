"""Numbers of payment cards in texts, told from other long numbers by their check digit: by rewriting alone, of all texts at once.

The collector can sum up the digits of a whole text only, not of a part that it is about to replace. So before each number that looks
like a card's a shadow is written: the digits with their weights, then a tick for each unit of their sum. A number whose ticks are no
multiple of ten loses its shadow, every other one is replaced with it. The check is Luhn's, of ISO/IEC 7812-1.

A shadow holds nothing that a client wrote but digits, and each of its parts begins with :data:`MARK`, which no text holds by then.
"""

from __future__ import annotations

from collections.abc import Iterator

MARK = "\x1c"
"""Ours alone in a text that is being masked: ASCII's file separator."""

_GAP = r"[\p{Zs}-]"
_MOST, _LEAST = 19, 13

_FIRST = r"(?:2[2-7]|[3-6]\d)"
NUMBER = rf"\b{_FIRST}(?:\d{{{_LEAST - 2},{_MOST - 2}}}\b|(?:{_GAP}?\d){{{_LEAST - 2},{_MOST - 2}}}\b)"
"""13 to 19 digits that begin as a card's do: together, or else parted by a space or hyphen."""

HINT = rf"{_FIRST}(?:{_GAP}?\d){{{_LEAST - 2}}}"

_PROBED = "4696659917340627, 378282246310006, 0.4696659917340626"
"""Stays as it is."""
PROBE = f"4696659917340626 {_PROBED}"
"""What goes through all steps to see that each of them works: the first number is one of a card no longer when any bit is not counted."""


def probed(word: str) -> str:
    """What becomes of it."""
    return f"{word} {_PROBED}"


def rewrites(word: str) -> Iterator[tuple[str, str]]:
    """Pattern and replacement of each step; together they put ``word`` in place of the numbers of cards, and nothing else is changed.

    A share of a whole is no card: what follows ``0.`` stays.
    """
    mark = rf"\x{ord(MARK):02x}"
    yield rf"\b0\.\d{{{_LEAST},}}|{NUMBER}", f"{MARK}m$0{MARK}."
    yield rf"{mark}m(0\.\d+){mark}\.", "$1"
    yield rf"{mark}m(\d(?:{_GAP}?\d{_GAP}?\d)+{mark}\.)", f"{MARK}mo$1"
    yield rf"{mark}m(?:o|((\d){_GAP}?))({_digits()}){mark}\.", f"{MARK}m{_weighed()}{MARK};$1$3{MARK}."
    for bit in (1, 2, 4, 8):
        yield rf"({mark}(?:s[{_having(bit, doubled=False)}]|d[{_having(bit, doubled=True)}]))", "${1}" + "t" * bit
    yield rf"{mark}m(?:(?:[^t;]*t){{10}})*(?:[^t;]*t){{1,9}}[^t;]*;(?:(\d+){mark}\.|({_alone()}){mark}\.({_end(mark)}))", "$1$2$3"
    yield rf"{mark}m(?:[^;.]*;)?[^;.]*\.", word


def _digits() -> str:
    """A group for each digit behind the first one of an even number of digits, or from the first one of an odd number."""
    more = ""
    for _ in range((_MOST - _LEAST) // 2):
        more = rf"(?:{_GAP}?(\d){_GAP}?(\d){more})?"
    return rf"{_GAP}?".join([r"(\d)"] * _LEAST) + more


def _weighed() -> str:
    """A pair for each digit: whether it counts double, and the digit. Every other one does, and the last one does not."""
    return f"{MARK}d$2" + "".join(f"{MARK}{'sd'[place % 2]}${place + 4}" for place in range(_MOST))


def _having(bit: int, *, doubled: bool) -> str:
    """The digits whose value has this bit; of a doubled one that is the sum of both digits."""
    values = {digit: sum(divmod(2 * digit, 10)) if doubled else digit for digit in range(10)}
    return "".join(str(digit) for digit, value in values.items() if value & bit)


def _alone() -> str:
    """13 to 16 digits, the first and last four of which stand together: no part of them is long enough to be another number."""
    return rf"\d{{4}}(?:{_GAP}?\d){{{_LEAST - 8},8}}{_GAP}?\d{{4}}"


def _end(mark: str) -> str:
    """What follows such a number if it does not go on."""
    return rf"[^\p{{Zs}}-]|{_GAP}[^\d{mark}]|{_GAP}?$"
