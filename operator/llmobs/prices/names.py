"""How the name of a model becomes its canonical name: the steps that Python and the collector's statements share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

VENDORS = (
    "ai21|alibaba|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshot|moonshotai|nvidia|openai|qwen|stability|"
    "twelvelabs|writer|xai|zai"
)
REGIONS = "us-gov|us|eu|apac|ap|au|jp|in|ca|sa|me|af|global|regional"


@dataclass(frozen=True)
class Step:
    """One replacement, in the syntax that Python's ``re`` and RE2 read alike; a backslash and 1 stand for the first group.

    A pattern that matches changes the name: the collector asks for the match to know whether a name has another form.
    """

    pattern: str
    replacement: str = ""


# a path on a disk leads to anybody's model: only a path that begins with a name is a provider's
_PATH = Step(r"^([a-z0-9@]([^/]*[^/:])?/)+")
_TUNED = Step(r"^(ft:[^:]+):.*$", r"\1")
# Bedrock's version with the length of its context, or how OpenRouter is to choose among sellers at the listed price or less
_VERSION = Step(r"(-v\d+(:\d+)?(:(\d+k?|mm))?|:\d+|:(beta|extended|floor|online|thinking))$")
_PLACE = Step(rf"^(({REGIONS})\.(({VENDORS})\.)?|({VENDORS})\.)")
_RELEASE = Step(r"^(gemini-.+)-0\d\d$", r"\1")
_DATE = Step(r"([-@](20\d\d-\d\d-\d\d|20\d{6}|\d\d-20\d\d|latest|default)|-v\d@20\d{6}|-(preview|exp)-\d\d-(20)?\d\d)+$")

STEPS = (_PATH, _TUNED, _VERSION, _PLACE, _RELEASE, _DATE)
"""From most to least specific: provider path, owner of a fine-tuned model, version suffix, region and vendor, release, date."""


@lru_cache(maxsize=32768)
def forms(name: str) -> tuple[str, ...]:
    """``name`` in lower case, then after each step: every form under which a price may be listed, most specific first."""
    found = [name.lower()]
    for step in STEPS:
        found.append(_after(step, found[-1]))
    return tuple(found)


def _after(step: Step, name: str) -> str:
    return re.sub(step.pattern, step.replacement, name)


def stem(name: str) -> str:
    """The last form: without provider path, region, date, ``-latest`` and version suffix."""
    return forms(name)[-1]


def undated(name: str) -> str:
    """The form without path, region and version, but with the date."""
    return forms(name)[-2]


def unplaced(name: str) -> str:
    """Without provider path, region, vendor and date, but with the version suffix."""
    return _after(_DATE, _after(_PLACE, _after(_PATH, name.lower())))


def form_of(name: str) -> int:
    """Which form a listed name is looked up by: the last one that leaves it as it is."""
    found = forms(name)
    return max(index for index, form in enumerate(found) if form == found[0])
