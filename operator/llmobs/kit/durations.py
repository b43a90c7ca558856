"""Prometheus durations: ``500ms``, ``5s``, ``1h30m``."""

from __future__ import annotations

import re

DURATION = r"^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
"""Units in falling order, each at most once, as Prometheus writes them."""

SHORT = r"^([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
"""The units that the API server's CEL can read as well."""

_UNITS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def seconds(text: str) -> float:
    """The length of a duration in seconds; 0 for text that is none."""
    if re.search(DURATION, text) is None:
        return 0.0
    found = re.findall(r"([0-9]+)(ms|[wdhms])", text)
    return round(sum(int(number) * _UNITS[unit] for number, unit in found), 3)  # 0.7 and not 0.7000000000000001: it becomes a label
