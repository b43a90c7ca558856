"""The one error of the tools: something a person has to read, and the log that says more."""

from __future__ import annotations

from pathlib import Path


class Failed(Exception):
    """A step did not work. `what` names the part, `why` is one sentence, `log` holds the whole story."""

    def __init__(self, what: str, why: str, log: Path | None = None) -> None:
        self.what, self.why, self.log = what, why, log
        super().__init__(f"{what}: {why}" + (f" (log: {log})" if log else ""))


def tail(log: Path, lines: int = 12) -> str:
    """The last lines of a log, indented to stand below an error message."""
    text = log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []
    return "\n".join(f"    {line}" for line in text)
