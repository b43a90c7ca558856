"""The whole plan: every part of the fleet, and every part of one policy."""

from __future__ import annotations

from llmobs.api.effective import Policy
from llmobs.plan import collector, dashboards, rules
from llmobs.plan.inputs import Inputs, Part


def fleet_parts(inputs: Inputs) -> tuple[Part, ...]:
    """What exists once per cluster, in the operator's namespace."""
    return (*collector.parts(inputs), *rules.parts(inputs), *dashboards.parts(inputs))


def keyed(inputs: Inputs) -> bool:
    """Whether the platform's gateway needs the installation's key."""
    return collector.keyed(inputs)


def policy_parts(inputs: Inputs, policy: Policy) -> tuple[Part, ...]:
    """What exists for one policy, in its namespace."""
    return (*collector.policy_parts(inputs, policy), *rules.policy_parts(inputs, policy), *dashboards.policy_parts(inputs, policy))


def check(policy: Policy) -> None:
    """What only plans can judge about a policy's spec. Raises :class:`Invalid`."""
    rules.check(policy)
