"""PromQL pieces: quoting, exact deltas of counters, groups and rules as data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from llmobs.api.names import GATEWAY
from llmobs.plan.rules.series import HEARTBEAT, Timing

Rule = dict[str, Any]
Group = dict[str, Any]

LOOKBACK = "6h"
"""How far back a delta looks for the value before: scrape gaps up to this long are bridged, longer ones count as a first install."""


def quote(text: str) -> str:
    """``text`` as a PromQL string, whatever is in it."""
    return json.dumps(text, ensure_ascii=False)


def selector(labels: Mapping[str, str]) -> str:
    """``{name="value",…}`` with every value matched exactly."""
    return "{" + ",".join(f"{name}={quote(value)}" for name, value in labels.items()) + "}"


def gateway_targets(namespace: str) -> str:
    """Matchers, without braces, of what Prometheus scrapes from the gateway in ``namespace``."""
    return f"namespace={quote(namespace)},{every_gateway()}"


def every_gateway() -> str:
    """Matchers of what Prometheus scrapes from any gateway: the shared one and those of single policies, in their namespaces."""
    return f'pod=~"{GATEWAY}-.+"'


def record(name: str, expr: str, labels: Mapping[str, str] | None = None) -> Rule:
    """A recording rule."""
    return {"record": name, "expr": expr, **({"labels": dict(labels)} if labels else {})}


def constant(name: str, value: float, labels: Mapping[str, str]) -> Rule:
    """A number from a custom resource as a series: it needs no scrape, so it is there while the operator is not."""
    return record(name, f"vector({plain(value)})", labels)


def plain(value: float) -> str:
    """A number as PromQL and label values spell it: the shortest text that reads back equal, without ``.0``."""
    text = repr(float(value))
    return text.removesuffix(".0")


def group(name: str, interval: str, rules: Iterable[Rule]) -> Group:
    """A rule group; its rules are evaluated in order."""
    return {"name": name, "interval": interval, "rules": list(rules)}


def delta(metric: str, timing: Timing) -> str:
    """How much a counter grew within the last tile, exactly.

    ``increase()`` extrapolates and cannot see a counter's first value, so it loses the spend of every short-lived pod. The four
    branches: restarted (what was added before the restart, as far as it was scraped, and since); restarted and already past
    the old value (what was added since); the normal case, which also bridges scrape gaps; and a counter that is new, counted
    in full unless nobody was watching before, because then its total may be old.
    """
    tile = timing.tile
    last = f"last_over_time({metric}[{tile}])"
    before = f"last_over_time({metric}[{LOOKBACK}] offset {tile})"
    top = f"max_over_time({metric}[{tile}])"
    return (
        f"(({last} + clamp_min({top} - {before}, 0)) and {last} < {before})\n"
        f"or (({last} and resets({metric}[{tile}]) > 0) and {before})\n"
        f"or ({last} - {before} >= 0)\n"
        f"or (({last} unless {before}) and on () {watched(timing)})"
    )


def watched(timing: Timing) -> str:
    """Whether somebody was watching long enough ago for a new series to be a new counter."""
    return f"last_over_time({HEARTBEAT}[{LOOKBACK}] offset {timing.settled})"


def summed(metric: str, *, labels: Iterable[str], timing: Timing) -> str:
    """The deltas of a derived metric by ``labels``; ``namespace`` and ``workload`` come from the raw ``k8s_`` labels.

    Prometheus attaches the gateway's own ``namespace`` to what it scrapes, so the raw label of that name is never the caller's.
    """
    wanted = tuple(labels)
    raw = {name: f"k8s_{name}" for name in wanted if name in {"namespace", "workload"}}
    inner = f"sum by ({', '.join(raw.get(name, name) for name in wanted)}) (\n{indented(delta(metric, timing))}\n)"
    for name, source in raw.items():
        inner = f'label_replace(\n{indented(inner)},\n  "{name}", "$1", "{source}", "(.*)")'
    return f"sum by ({', '.join(wanted)}) (\n{indented(inner)}\n)"


def indented(text: str) -> str:
    """``text`` two columns further right. Only a line feed ends a line: ``splitlines`` would cut quoted text at U+0085 and its like."""
    return "\n".join(f"  {line}" for line in text.split("\n"))
