"""When a workload that was rolled back because our image could not be had is instrumented again by itself; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PAUSES = (300, 600, 1200, 2400, 4800, 9600)
"""Seconds from each rollback to the next attempt; after the last one a person decides. Five hours and a quarter in all."""

_LAST_YEAR = 9000
"""From then on nothing can be added to a date."""

FORGOTTEN = timedelta(days=1)
"""After so long another rollback is the first again."""

TRIAL = timedelta(minutes=5)
"""So long an attempt may take to show whether the image can be had: a little more than what it takes to be rolled back again."""


@dataclass(frozen=True)
class Wait:
    """What a workload waited for when it was rolled back, as it stands in an annotation of the workload."""

    images: tuple[str, ...]
    """Ours, in order."""
    since: datetime
    """When it was rolled back last."""
    times: int = 1
    """How often it was."""

    @property
    def next(self) -> datetime | None:
        """When it is tried again without a sign that the image can be had; None when a person decides."""
        return self.since + timedelta(seconds=PAUSES[self.times - 1]) if self.times <= len(PAUSES) else None

    def __str__(self) -> str:
        """The annotation's value."""
        return json.dumps({"images": list(self.images), "since": self.since.strftime("%Y-%m-%dT%H:%M:%SZ"), "times": self.times})


def wait(value: str | None) -> Wait | None:
    """What an annotation says; None for what is no such value: it is taken as a crash loop's, which only a person takes back."""
    try:
        said = json.loads(value or "")
        since = datetime.fromisoformat(said["since"]).astimezone(UTC)
        times = int(said["times"])
        sane = times > 0 and since.year < _LAST_YEAR
        return Wait(tuple(map(str, said["images"])), since, times) if sane else None
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError):
        return None


def again(before: Wait | None, images: tuple[str, ...], now: datetime) -> Wait:
    """The wait that begins now."""
    lately = before is not None and now - before.since < FORGOTTEN
    return Wait(images, now.replace(microsecond=0), before.times + 1 if before is not None and lately else 1)


@dataclass(frozen=True)
class Signs:
    """What is known of images: by which pods they could be had lately, and who tries."""

    had: Mapping[tuple[str, ...], datetime]
    """Images -> when the newest pod was created that started with them."""
    tried: Mapping[tuple[str, ...], datetime]
    """Images -> when a workload was last instrumented again without such a sign."""


def lifted(found: Wait, signs: Signs, now: datetime, *, keeps_pods: bool) -> bool:
    """Whether to instrument a workload again; ``keeps_pods``: those that run stay until new ones are well, so it may try for others too."""
    if found.next is None:
        return False
    had = signs.had.get(found.images)
    if had is not None and had >= found.since:
        return True
    tried = signs.tried.get(found.images)
    free = tried is None or now - tried >= TRIAL
    return keeps_pods and free and now >= found.next
