"""Read spend from Prometheus, for all namespaces at once."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Mapping
from typing import Any

import aiohttp

from llmobs.api.conditions import ConditionType, Finding, Reason, Status
from llmobs.plan.findings import Spend
from llmobs.plan.rules import queries

Sample = tuple[Mapping[str, str], float]

ASKED = (queries.MONTH_TO_DATE, queries.BUDGET_SPENT, queries.TELEMETRY_AGE, queries.TELEMETRY_ALIVE)
FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError)
"""What a question may end in: nobody there, or an answer that is none of Prometheus."""
TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=3)


async def read(url: str, *, at: str) -> Spend:
    """What Prometheus at ``url`` tells; that it tells nothing is a finding, never an exception. ``at`` is now, RFC 3339."""
    if not url:
        said = "no Prometheus is configured (prometheus.url), so spend is not read; rules and alerts do not depend on that"
        return Spend(problem=_unknown(Reason.PROMETHEUS_NOT_CONFIGURED, said))
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            answers = await asyncio.gather(*(query(session, url, text) for text in ASKED))
    except FAILURES as error:
        said = f"Prometheus at {url} can't be read: {error or type(error).__name__}"
        return Spend(problem=_unknown(Reason.PROMETHEUS_UNREACHABLE, said))
    return spend(*answers, at=at)


def spend(months: list[Sample], budgets: list[Sample], ages: list[Sample], alive: list[Sample], *, at: str) -> Spend:
    """The answers as one."""
    return Spend(
        month_to_date={labels.get("namespace", ""): value for labels, value in months},
        budgets={(labels.get("namespace", ""), labels.get("policy", ""), labels.get("budget", "")): value for labels, value in budgets},
        ages={labels.get("namespace", ""): value for labels, value in ages},
        alive=bool(alive),
        at=at,
    )


async def query(session: aiohttp.ClientSession, url: str, text: str) -> list[Sample]:
    """One instant query, without what is not finite. Raises one of :data:`FAILURES`."""
    async with session.post(f"{url.rstrip('/')}/api/v1/query", data={"query": text}) as response:
        answer: Any = json.loads(await response.text())
    if answer.get("status") != "success":
        raise ValueError(f"{answer.get('error', 'no success')} (HTTP {response.status})")
    found = [(item["metric"], float(item["value"][1])) for item in answer["data"]["result"]]
    return [(labels, value) for labels, value in found if math.isfinite(value)]


def _unknown(reason: Reason, message: str) -> Finding:
    return Finding(ConditionType.TELEMETRY_FLOWING, Status.UNKNOWN, reason, message)
