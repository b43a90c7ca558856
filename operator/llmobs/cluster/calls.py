"""Ask Prometheus whether telemetry of one workload has arrived."""

from __future__ import annotations

import enum
from typing import NamedTuple

import aiohttp

from llmobs.cluster.spend import FAILURES, TIMEOUT, query
from llmobs.plan.rules import queries


class Telemetry(enum.StrEnum):
    """Whether calls of a workload have been counted."""

    ARRIVED = "Arrived"
    NONE = "None"
    UNKNOWN = "Unknown"


class Arrival(NamedTuple):
    """What Prometheus tells of a workload's calls, as a word and as a sentence."""

    telemetry: Telemetry
    message: str


NOT_ASKED = Arrival(Telemetry.UNKNOWN, "not asked; give --prometheus URL")


async def arrival(url: str, *, namespace: str, workload: str) -> Arrival:
    """Whether calls of the workload have been counted; that Prometheus does not tell is an answer, never an exception."""
    try:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
            found = await query(session, url, queries.calls(namespace, workload))
            alive = bool(await query(session, url, queries.TELEMETRY_ALIVE))
    except FAILURES as error:
        return Arrival(Telemetry.UNKNOWN, f"Prometheus at {url} can't be read: {error or type(error).__name__}")
    return told(sum(value for _, value in found), workload=workload, alive=alive)


def told(calls: float, *, workload: str, alive: bool) -> Arrival:
    """The answers as one. Silence counts only while the gateway is scraped."""
    if calls > 0:
        return Arrival(Telemetry.ARRIVED, f"{calls:.0f} calls of {workload} are counted that Prometheus saw within a day")
    if not alive:
        return Arrival(Telemetry.UNKNOWN, "Prometheus does not scrape the gateway, or does not evaluate its rules, so silence says nothing")
    return Arrival(Telemetry.NONE, f"no call of {workload} within a day, while the gateway is scraped")
