"""What policies ask of sampling, as the collector looks it up."""

from __future__ import annotations

from collections.abc import Sequence

from llmobs.api.effective import Policy
from llmobs.api.v1alpha1.sampling import Sampling
from llmobs.kit.durations import seconds
from llmobs.plan.collector.ottl import Value

TERMS = "llmobs.sampling"
"""The resource attribute with what its policy asks for; absent where everything is sent on."""


def sampled(policies: Sequence[Policy]) -> bool:
    """Whether any policy sends on less than everything."""
    return any(row(policy.spec.sampling) for policy in policies)


def row(sampling: Sampling) -> dict[str, Value]:
    """What the collector needs to know: ``t`` the least randomness that is chosen, ``e`` errors, ``u`` US dollars, ``d`` nanoseconds.

    Empty where everything is sent on.
    """
    if sampling.ratio >= 1:
        return {}
    made: dict[str, Value] = {"t": threshold(sampling.ratio)}
    if sampling.keep_errors:
        made["e"] = 1.0
    if sampling.keep_costlier_than_usd is not None:
        made["u"] = sampling.keep_costlier_than_usd
    if sampling.keep_longer_than is not None:
        made["d"] = seconds(sampling.keep_longer_than) * 1e9
    return made


def threshold(ratio: float) -> str:
    """The least of a trace id's last 56 bits, in hexadecimal, that is chosen: OpenTelemetry's consistent probability.

    See https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/
    """
    rejected = round((1 - ratio) * 2**56)
    return f"{rejected:014x}" if rejected < 2**56 else "none"  # sorts behind every digit
