"""Which traces are sent on."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.kit.durations import DURATION, seconds
from llmobs.kit.schema import Rule, prop

_LENGTH = Rule(
    cel="self != ''",
    message="must be a duration such as 30s",
    holds=lambda text: text is None or seconds(text) > 0,
)


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Which traces are sent on. Calls, tokens, money and durations are counted before: sampling changes no figure and no alert."""

    ratio: float = prop(1.0, minimum=0, maximum=1)
    """Share of traces that are sent on, 0 to 1, chosen by the trace's id: every part of a trace is judged alike. Default 1."""
    keep_errors: bool = prop(True)
    """Send on what failed, whatever the ratio. Default true."""
    keep_costlier_than_usd: float | None = prop(None, minimum=0)
    """Send on calls, and runs of agents, that cost more than this many US dollars, whatever the ratio."""
    keep_longer_than: str | None = prop(None, pattern=DURATION, rules=(_LENGTH,))
    """Send on what took longer than this duration, whatever the ratio."""
