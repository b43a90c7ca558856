"""The three outcomes of bad luck: the input is wrong, it is too early, or it is a bug (any other exception)."""

from __future__ import annotations


class Invalid(Exception):
    """A user's input breaks a rule.

    ``path`` is where, in the words of the input (``spec.budgets[0].limitUSD``); ``message`` is what is wrong and the cure.
    """

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path
        self.message = message

    def under(self, prefix: str) -> Invalid:
        """The same finding, seen from the document that holds this value at ``prefix``."""
        joined = prefix if not self.path else f"{prefix}{'' if self.path.startswith('[') else '.'}{self.path}"
        return Invalid(joined, self.message)


class NotYet(Exception):
    """Something outside is not there yet; worth another try after ``delay`` seconds."""

    def __init__(self, message: str, *, delay: float = 5.0) -> None:
        super().__init__(message)
        self.message = message
        self.delay = delay
