"""Which policies' objects were found to be in place, so that they are not looked at again without a reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmobs.api.conditions import Finding
from llmobs.handlers.reader import View


@dataclass
class Settled:
    """By uid of the policy. What changes while the objects are looked at counts as well: the look may have come before the change."""

    _found: dict[str, tuple[View, tuple[Finding, ...]]] = field(default_factory=dict)
    _looking: set[str] = field(default_factory=set)

    def at(self, uid: str, view: View) -> tuple[Finding, ...] | None:
        """What was found when the objects were in place for this view; None when they have to be looked at."""
        found = self._found.get(uid)
        return found[1] if found is not None and found[0] is view else None

    def begin(self, uid: str) -> None:
        """The objects are about to be looked at."""
        self._looking.add(uid)

    def end(self, uid: str, view: View, findings: tuple[Finding, ...]) -> None:
        """The objects were brought in place; remembered unless one of them changed since :meth:`begin`."""
        if uid in self._looking:
            self._looking.discard(uid)
            self._found[uid] = (view, findings)

    def forget(self, uid: str) -> None:
        """One of the objects changed, or the policy is gone."""
        self._looking.discard(uid)
        self._found.pop(uid, None)

    def clear(self) -> None:
        """Look at everybody's objects again."""
        self._looking.clear()
        self._found.clear()
