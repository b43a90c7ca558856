"""What a run of an agent may cost and do before an alert is raised."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.kit.schema import prop


@dataclass(frozen=True, kw_only=True)
class Agents:
    """Bounds of one run of an agent; each raises an alert when a run of the last hour went beyond it. No run is ever stopped.

    Runs are counted inside the process by our runtime (injection). For applications without it, ``rollUp`` lets the gateway do it.
    """

    roll_up: bool = prop(False)
    """Whether the gateway rolls up runs of applications without our runtime, in any language, from their spans.

    It counts a run, its steps and its cost where one pod of the gateway sees the run and everything above it in its service, which took no
    longer than 285 seconds; what it does not see as a whole it does not count. Loops of tools are not found. Runs that our runtime tells of
    are never counted twice. Default false."""

    max_run_cost_usd: float | None = prop(None, minimum=0, exclusive_minimum=True, maximum=1e6)
    """The most that a run may cost, in US dollars."""
    max_steps: int | None = prop(None, minimum=1, maximum=100000)
    """The most calls to models in a run."""
    max_tool_repeats: int | None = prop(None, minimum=1, maximum=100000)
    """How often in a row a run may execute one tool; beyond that it is a loop. Without it the fourth time is one, without an alert."""
