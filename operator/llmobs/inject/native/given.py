"""What differs from one policy to another in the expressions: words for which each policy's own values are put in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from llmobs.api import names
from llmobs.api.v1alpha1.selector import LabelSelector
from llmobs.inject.compiled import CompiledPolicy
from llmobs.inject.native.cel import GIVEN, LABELS, text

_WORD = re.compile(re.escape(GIVEN) + r"\.([a-z]+)")
_ANY = "*"
"""Begins each selector, so that one without requirements is not none."""


def filled(expression: str, policy: CompiledPolicy, better: Iterable[CompiledPolicy]) -> str:
    """An expression for this policy; ``better`` are those of its namespace that come before it, and take the pods they select."""
    values = {
        "policy": policy.annotations[names.POLICY],
        "revision": policy.annotations[names.POLICY_REVISION],
        "mode": policy.mode.value,
        "include": ",".join(sorted(policy.include)),
        "exclude": ",".join(sorted({*policy.exclude, *policy.own})),
        "attributes": "".join(f",{key}={value}" for key, value in policy.attributes.items()),
        "better": "\n".join(";".join([_ANY, *_requirements(item.selector)]) for item in better),
    }
    return _WORD.sub(lambda found: text(values[found[1]]), expression)


def _requirements(selector: LabelSelector) -> Iterator[str]:
    """Each requirement as ``key|operator|value,value``: no label has one of these signs."""
    for key, value in sorted(selector.match_labels.items()):
        yield f"{key}|In|{value}"
    for item in selector.match_expressions:
        yield f"{item.key}|{item.operator.value}|{','.join(item.values)}"


def first() -> str:
    """Whether no better policy selects the pod."""
    among = f"(r[0] in {LABELS} && {LABELS}[r[0]] in r[2].split(','))"
    holds = f"r[1] == 'In' ? {among} : r[1] == 'NotIn' ? !{among} : (r[0] in {LABELS}) == (r[1] == 'Exists')"
    line = f"line.split(';').filter(t, t != '{_ANY}').map(t, t.split('|')).all(r, {holds})"
    return f"{GIVEN}.better == '' || !{GIVEN}.better.split('\\n').exists(line, {line})"
