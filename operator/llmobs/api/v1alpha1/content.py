"""What happens to prompts and answers."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from llmobs.kit.schema import Rule, prop


class Capture(enum.Enum):
    """How much of prompts and answers may leave the platform, least first."""

    NONE = "None"
    HASH = "Hash"
    MASKED = "Masked"
    FULL = "Full"

    @property
    def rank(self) -> int:
        """Position in the order of permission; a ceiling allows every rank up to its own."""
        return list(Capture).index(self)


class Mask(enum.Enum):
    """What is looked for in captured texts."""

    EMAIL = "Email"
    PHONE = "Phone"
    CREDIT_CARD = "CreditCard"
    IP_ADDRESS = "IPAddress"


class UserIds(enum.Enum):
    """What happens to the identifiers of users, least first."""

    DROP = "Drop"
    HASH = "Hash"
    KEEP = "Keep"

    @property
    def rank(self) -> int:
        """Position in the order of what is let out."""
        return list(UserIds).index(self)


_FOREIGN = re.compile(r"\(\?(?:=|!|<[=!]|>|\(|#|P[=>]|R|&)|(?<!\\)(?:\\\\)*\\[1-9ZGXRKgk]|[*+?}]\+")
"""What Python's patterns can and RE2's cannot: looking around, going back, possessive repetition."""


def _linear(pattern: str | None) -> bool:
    """Whether RE2 takes a pattern, which then cannot run away, and it does not match the empty text."""
    if pattern is None:
        return True
    if _FOREIGN.search(pattern) or any(int(count) > 1000 for count in re.findall(r"\{(\d+)|,(\d+)\}", pattern) for count in count if count):
        return False
    try:
        return re.compile(pattern).search("") is None
    except re.error:
        return False


_RE2 = Rule(
    cel="!''.matches(self)",
    message="must be an RE2 pattern (no looking around, no references to groups) that does not match the empty text",
    holds=_linear,
)


@dataclass(frozen=True, kw_only=True)
class MaskPattern:
    """A pattern of the namespace's own."""

    name: str = prop(pattern=r"^[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?$")
    """What stands in brackets in place of what the pattern matches."""
    pattern: str = prop(min_length=1, max_length=256, rules=(_RE2,))
    """An RE2 pattern; what it matches is replaced."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """What happens to prompts and answers."""

    capture: Capture = prop(Capture.NONE)
    """None: prompts and answers are not kept. Hash: in place of each text stands its HMAC-SHA256 with the installation's key, beside it
    its length. Masked: they are kept on the spans, without what mask and maskPatterns find. Full: they are kept as they are. The
    platform's ceiling applies. With collector.mode Sidecar, Hash counts as None. Default None."""
    sample_ratio: float = prop(1.0, minimum=0, maximum=1)
    """Share of traces whose prompts and answers are kept, 0 to 1, chosen by the trace's id; the others are as with None. Default 1."""
    max_length: int = prop(4096, minimum=16, maximum=65536)
    """Bytes kept of each text; cut at a character's boundary, before anything is masked. Hash keeps none, and is of the whole text.
    Default 4096."""
    mask: tuple[Mask, ...] = prop(tuple(Mask), max_items=4)
    """What Masked replaces: Email, Phone, CreditCard (13 to 19 digits with a known beginning and the right check digit), IPAddress.
    Default all of them."""
    mask_patterns: tuple[MaskPattern, ...] = prop((), max_items=16, keys=("name",))
    """What Masked replaces besides."""
    user_ids: UserIds = prop(UserIds.KEEP)
    """What happens to user.id and session.id and their likes on spans: Drop, Hash (their HMAC-SHA256 stands in their place) or Keep.
    Default Keep."""

    def sent(self, *, gateway: bool) -> Capture:
        """What a pod may send: texts go whole to our gateway, which masks, samples and cuts; elsewhere, where nothing is to be done."""
        untouched = self.capture is Capture.FULL and self.sample_ratio == 1
        allowed = self.capture is not Capture.NONE if gateway else untouched
        return Capture.FULL if allowed else Capture.NONE
