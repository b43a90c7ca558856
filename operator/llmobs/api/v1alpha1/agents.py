"""What a run of an agent may cost and do before an alert is raised."""

from __future__ import annotations

from dataclasses import dataclass

from llmobs.kit.schema import prop


@dataclass(frozen=True, kw_only=True)
class Agents:
    """Bounds of one run of an agent; each raises an alert when a run of the last hour went beyond it. No run is ever stopped.

    Runs are counted inside the process by our runtime (injection); a gateway alone does not see them.
    """

    max_run_cost_usd: float | None = prop(None, minimum=0, exclusive_minimum=True, maximum=1e6)
    """The most that a run may cost, in US dollars."""
    max_steps: int | None = prop(None, minimum=1, maximum=100000)
    """The most calls to models in a run."""
    max_tool_repeats: int | None = prop(None, minimum=1, maximum=100000)
    """How often in a row a run may execute one tool; beyond that it is a loop. Without it the fourth time is one, without an alert."""
