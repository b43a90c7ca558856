"""What is looked for in captured texts: one RE2 pattern or more for each word of ``content.mask``, in the order in which they are tried.

Digits that touch letters are part of an identifier and stay. What looks like the number of a card is one by its check digit:
:mod:`llmobs.plan.collector.cards`.
"""

from __future__ import annotations

from collections.abc import Iterable

from llmobs.api.v1alpha1.content import Mask
from llmobs.plan.collector import cards

_HEX = "[0-9A-Fa-f]{1,4}"
_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

PATTERNS = {
    Mask.EMAIL: (r"[\p{L}\p{N}._%+'-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+",),
    Mask.IP_ADDRESS: (
        rf"\b(?:{_BYTE}\.){{3}}{_BYTE}\b",
        rf"\b(?:{_HEX}:){{7}}{_HEX}\b|\b(?:{_HEX}:){{1,6}}(?::{_HEX}){{1,6}}\b|\b(?:{_HEX}:){{1,7}}:|\B::(?:{_HEX}:){{0,6}}{_HEX}\b",
    ),
    Mask.CREDIT_CARD: (cards.NUMBER,),
    Mask.PHONE: (
        r"(?:\+|\b00)[1-9](?:[\p{Zs}()./-]{0,2}\d){6,14}\b",
        r"(?:\(\d{2,5}\)\p{Zs}?|\b\d{2,5}[\p{Zs}./-])\d{3,4}[\p{Zs}.-]\d{3,4}\b",
        r"\b0[1-9]\d{1,3}[\p{Zs}/-]?\d{5,8}\b",
    ),
}

APART = ((cards.MARK, ""), (r"\\(?:[bfnrt]|u[0-9A-Fa-f]{4})", f"$0{cards.MARK}"))
"""Before the masks: in JSON a line break is a letter, and no word would begin behind it."""

TOGETHER = ((cards.MARK, ""),)
"""After them."""

HINTS = {
    "at": "@",
    "dots": r"\.\d{1,3}\.\d{1,3}\.",
    "colons": r":(?::|(?:[0-9A-Fa-f]{1,4}:){6})",
    "cards": cards.HINT,
    "digits": r"(?:\d[\p{Zs}()./-]{0,2}){6}\d",
}
"""What a text holds wherever one of our patterns matches, and can be looked for many times faster than that pattern."""

WITHIN = {"cards": "digits"}
"""Hints that are looked for only where the other one is found, which takes less: whatever holds the one holds the other."""

_HINTED = {Mask.EMAIL: ("at",), Mask.IP_ADDRESS: ("dots", "colons"), Mask.CREDIT_CARD: ("cards",), Mask.PHONE: ("digits",) * 3}

HINTED = {pattern: hint for mask, hints in _HINTED.items() for pattern, hint in zip(PATTERNS[mask], hints, strict=True)}
"""The hint of each of our patterns, by its name. Of patterns that people give nothing is known."""

WORDS = {Mask.EMAIL: "[email]", Mask.PHONE: "[phone]", Mask.CREDIT_CARD: "[card]", Mask.IP_ADDRESS: "[ip]"}
"""What stands in place of what was found."""


def replacements(wanted: Iterable[Mask]) -> tuple[tuple[str, str], ...]:
    """Pattern and word of each mask."""
    chosen = set(wanted)
    return tuple((pattern, WORDS[mask]) for mask, patterns in PATTERNS.items() if mask in chosen for pattern in patterns)
