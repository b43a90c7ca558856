"""What a policy asks for its prompts and answers, folded: policies that ask for the same are one class in the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmobs.api import names
from llmobs.api.v1alpha1.content import Capture, Content, UserIds
from llmobs.plan.collector import masks


@dataclass(frozen=True)
class Treatment:
    """What happens to the content of a pod's spans. The default is the least."""

    capture: Capture = Capture.NONE
    ratio: float = 1.0
    longest: int = 0
    """Bytes of a text."""
    masked: tuple[tuple[str, str], ...] = ()
    """Patterns and what stands in place of what they match, in order."""
    users: UserIds = UserIds.DROP
    """What happens to identifiers of users."""

    @property
    def name(self) -> str:
        """How the class is called in the configuration."""
        asked = f"{self.ratio!r} {self.longest} {self.masked!r} {self.users.value}"
        return f"{self.capture.value}.{names.short(asked, 8)}"

    @property
    def hashes(self) -> bool:
        """Whether it needs the installation's key."""
        return Capture.HASH is self.capture or UserIds.HASH is self.users

    def agreed(self, other: Treatment) -> Treatment:
        """What both grant."""
        capture = min(self.capture, other.capture, key=lambda item: item.rank)
        users = min(self.users, other.users, key=lambda item: item.rank)
        ratio = min(self.ratio, other.ratio)
        if capture is Capture.NONE:
            return Treatment(users=users)
        if capture is Capture.HASH:
            return Treatment(capture, ratio, users=users)
        masked = tuple(dict.fromkeys([*self.masked, *other.masked]))
        return Treatment(capture, ratio, min(self.longest, other.longest), masked, users)


PLAIN = Treatment(users=UserIds.KEEP)
"""What applies where no policy says more: no content, users as they are."""


def treatment(content: Content) -> Treatment:
    """What a policy asks for, without what makes no difference."""
    users = content.user_ids
    if content.capture is Capture.NONE or content.sample_ratio == 0:
        return replace(PLAIN, users=users)
    if content.capture is Capture.HASH:
        return Treatment(content.capture, content.sample_ratio, users=users)
    own = tuple((item.pattern, f"[{item.name}]") for item in content.mask_patterns)
    found = (*own, *masks.replacements(content.mask)) if content.capture is Capture.MASKED else ()
    return Treatment(content.capture, content.sample_ratio, content.max_length, found, users)


def classes(every: Iterable[Treatment]) -> tuple[Treatment, ...]:
    """The treatments that are more than :data:`PLAIN`, each once."""
    return tuple(sorted({item for item in every if item != PLAIN}, key=lambda item: item.name))
