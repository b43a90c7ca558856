"""Carry out a plan: apply its parts, delete what is no longer in it, and say how each part fared."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from llmobs.api.conditions import Finding, Reason, Status
from llmobs.cluster.apply import Live, apply
from llmobs.cluster.errors import Refused
from llmobs.cluster.installation import Owners
from llmobs.cluster.kinds import POD_MONITOR, PROMETHEUS_RULE, Ref, ref
from llmobs.cluster.prune import prune
from llmobs.handlers.context import Context
from llmobs.plan.inputs import Manifest, Part

AGAIN = 10.0
"""Seconds after which what the API server refused is tried again: rights may be given, an object in the way removed."""

SOON = 3.0
"""Seconds after which a gateway or a webhook that is not ready is looked at again."""

logger = logging.getLogger(__name__)

_PROMETHEUS = frozenset({POD_MONITOR.kind, PROMETHEUS_RULE.kind})


async def carry_out(
    context: Context, parts: Iterable[Part], live: Live, owners: Owners, *, keep: frozenset[Ref] = frozenset()
) -> tuple[Finding, ...]:
    """Apply every part; prune once all of them are in place. ``keep`` is what must not be pruned though it is not planned.

    Raises NotYet when the API server is away; a part that it refuses is a finding, and the other parts are applied.
    """
    given = tuple(parts)
    findings = [await _applied(context, part, live, owners) for part in given]
    if not failed(findings):
        planned = {ref(manifest) for part in given for manifest in part.manifests} | keep
        deleted = await prune(context.client, live, planned)
        context.metrics.writes.labels("children", "delete").inc(deleted)
    return tuple(findings)


def failed(findings: Iterable[Finding]) -> bool:
    """Whether a part could not be applied."""
    return any(item.reason is Reason.APPLY_FAILED for item in findings)


async def _applied(context: Context, part: Part, live: Live, owners: Owners) -> Finding:
    manifests = [item for item in part.manifests if _possible(context, item)]
    try:
        written = await apply(context.client, manifests, live, owners)
    except Refused as refused:
        logger.warning("%s: %s", part.condition.value, refused)
        return Finding(part.condition, Status.FALSE, Reason.APPLY_FAILED, str(refused))
    context.metrics.writes.labels("children", "apply").inc(written)
    if len(manifests) < len(part.manifests) and not manifests:
        said = "the API server knows no PrometheusRule and PodMonitor; install prometheus-operator to get rules and alerts"
        return Finding(part.condition, Status.UNKNOWN, Reason.PROMETHEUS_OPERATOR_NOT_INSTALLED, said)
    return part.finding or Finding(part.condition, Status.TRUE, Reason.APPLIED, _in_place(manifests))


def _possible(context: Context, manifest: Manifest) -> bool:
    return manifest["kind"] not in _PROMETHEUS or context.facts.prometheus_operator is not False


def _in_place(manifests: list[Manifest]) -> str:
    names = sorted(str(ref(item)) for item in manifests)
    if not names:
        return "nothing is asked for"
    return f"in place: {', '.join(names)}" if len(names) <= 4 else f"{len(names)} objects are in place"
